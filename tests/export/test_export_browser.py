"""Exported files in a real Chromium, run there by onnxruntime-web (WebAssembly, one thread)."""

import functools
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from srgan_lightning.export import export_onnx
from srgan_lightning.networks import GENERATORS, save_generator
from srgan_lightning.samples import sample_folder

pytestmark = pytest.mark.slow  # onnxruntime-web comes from the npm registry

PACKAGE = "onnxruntime-web@1.30.0"
SECONDS = 60
FILES = {
    "float.onnx": {},
    "whole.onnx": {"whole": True},
    "int8.onnx": {"whole": True, "precision": "int8"},
}


class Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012 - as the library has it; a machine's own table may differ
        ".html": "text/html",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".png": "image/png",
        "": "application/octet-stream",
    }

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def package(request) -> Path:
    """The unpacked npm package, kept among pytest's caches."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is not installed")
    folder = request.config.cache.mkdir(PACKAGE)
    files = folder / "node_modules/onnxruntime-web/dist"
    if not files.is_dir():
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        done = subprocess.run([npm, "install", *options, PACKAGE], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    return files


@pytest.fixture(scope="module")
def site(tmp_path_factory, package) -> Iterator[tuple[Path, str]]:
    """A folder with the page, models and a photograph, and the address that serves it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).parent / "web/index.html", folder)
    folder.joinpath("onnxruntime-web").symlink_to(package)
    with Image.open(sample_folder("heldout") / "perched-osprey.jpg") as photograph:
        photograph.crop((200, 100, 261, 143)).save(folder / "picture.png")
    torch.manual_seed(1)
    arguments = {"blocks": 2, "width": 8, "norm": "none", "image_skip": "bicubic"}
    state = GENERATORS.build("srresnet", arguments, scale=4).state_dict()
    source = folder / "net.safetensors"
    save_generator(source, state, name="srresnet", arguments=arguments, scale=4, facts={})
    for name, options in FILES.items():
        export_onnx(source, folder / name, **options)
    Image.fromarray(run(folder / "whole.onnx", picture(folder)[None])[0]).save(
        folder / "reference.png"
    )
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def picture(folder: Path) -> np.ndarray:
    return np.asarray(Image.open(folder / "picture.png"))


def run(file: Path, lr: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {"lr": lr})[0]


def enlarged(browser, address: str, name: str) -> tuple[np.ndarray, int]:
    """What the page makes of the picture, and how far it says that is from the reference."""
    browser.get(f"{address}/index.html?{name}")
    said = browser.find_element(By.ID, "said")
    WebDriverWait(browser, SECONDS).until(lambda _: said.text != "…")
    assert said.text.endswith(" levels apart"), said.text
    assert browser.get_log("browser") == []
    result = browser.execute_script("return window.result")
    return np.array(result["values"]).reshape(result["dims"]), int(said.text.split()[0])


def test_a_browser_makes_the_picture_of_a_whole_file(browser, site):
    folder, address = site
    sr, apart = enlarged(browser, address, "whole.onnx")
    expected = run(folder / "whole.onnx", picture(folder)[None])
    assert sr.shape == expected.shape == (1, 4 * 43, 4 * 61, 3)
    assert np.abs(sr - expected).max() <= 1
    assert apart <= 1
    assert expected.std() > 10, "a flat picture would prove nothing"


def test_a_browser_computes_floats_as_python_does(browser, site):
    folder, address = site
    lr = picture(folder).transpose(2, 0, 1)[None] / np.float32(255)
    sr, apart = enlarged(browser, address, "float.onnx")
    np.testing.assert_allclose(sr, run(folder / "float.onnx", lr), rtol=0, atol=1e-4)
    assert apart <= 1


def test_a_browser_runs_int8(browser, site):
    folder, address = site
    sr, _ = enlarged(browser, address, "int8.onnx")
    expected = run(folder / "int8.onnx", picture(folder)[None])
    assert np.abs(sr - expected).max() <= 1

"""The real `srgan demo` in a real Chromium: what a visitor does, and what nobody may see leave."""

import json
import os
import re
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from PIL import Image
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator
from srgan_lightning.samples import sample_folder

pytestmark = pytest.mark.slow

# The command itself, which also tells whom its process calls.
WATCHED = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        print("called:", host, file=sys.stderr)

sys.addaudithook(watch)
from srgan_lightning.cli import main
main()
"""
OPTIONS = ("--device", "cpu", "--precision", "32-true")


class Server:
    """`srgan demo` on a free port, its temporary files in a folder of its own."""

    def __init__(self, home, *arguments):
        self.temporary, self.log = home / "tmp", home / "stderr"
        self.temporary.mkdir()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WATCHED, "demo", *arguments, "--port", "0", *OPTIONS],
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.address = re.search(r"http://\S+", line)[0]

    def end(self):
        """Interrupt it, as Ctrl-C does; it ends cleanly and leaves nothing behind."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        called = re.findall(r"called: (.*)\n", self.log.read_text())
        said = [s for s in self.log.read_text().splitlines() if not s.startswith("called: ")]
        assert set(called) <= {"127.0.0.1"}
        assert said == []
        assert list(self.temporary.iterdir()) == []
        assert self.process.returncode == 0


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    arguments = {"blocks": 1, "width": 8}
    save_generator(
        folder / "mine.safetensors",
        SRResNet(**arguments).state_dict(),
        name="srresnet",
        arguments=arguments,
        scale=4,
        facts={},
    )
    with Image.open(sample_folder("heldout") / "saturn.jpg") as saturn:
        saturn.crop((240, 100, 340, 160)).save(folder / "small.png")
        Image.merge("RGBA", (*saturn.split(), saturn.split()[0])).resize((40, 30)).save(
            folder / "glass.png", dpi=(300, 300)
        )
    Image.new("RGB", (1000, 501)).save(folder / "large.png")
    whole = (folder / "small.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    with (folder / "heavy.tif").open("wb") as heavy:
        heavy.truncate(65 * 10**6)
    return folder


@pytest.fixture(scope="module")
def server(browser, home):
    started = Server(home, str(home / "mine.safetensors"), "--max-megapixels", "0.5")
    yield started
    started.end()


@pytest.fixture
def opened(browser, server, tmp_path):
    """The page, freshly opened; at the end no error was logged and no request left loopback."""
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    browser.get(server.address)
    wait(browser, lambda b: one(b, "#picture input[type=file]") and one(b, "#model input"))
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [m["params"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    ours = [r for r in requests if r["documentURL"].startswith(server.address)]
    urls = {urlsplit(r["request"]["url"]) for r in ours}
    assert {url.hostname for url in urls if url.scheme != "data"} == {"127.0.0.1"}


def wait(browser, condition, seconds=60):
    return WebDriverWait(browser, seconds).until(condition)


def one(browser, selector):
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return found[0] if found else None


def upload(browser, path):
    one(browser, "#picture input[type=file]").send_keys(str(path))


def shown(browser):
    """The two pictures of the slider, once they are there."""
    script = "return [...document.querySelectorAll('#slider img')].map(i => i.naturalWidth)"
    wait(browser, lambda b: min([*b.execute_script(script), 0][:2]) > 0)
    return browser.find_elements(By.CSS_SELECTOR, "#slider img")


def enlarge(browser, path, model=None):
    upload(browser, path)
    wait(browser, lambda b: path.name.split(".")[0] in one(b, "#picture").text)
    wait(browser, lambda b: one(b, "#preview img"))
    if model is not None:
        one(browser, "#model input").click()
        options = wait(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "[role=option]"))
        next(option for option in options if option.text.strip().endswith(model)).click()
    one(browser, "#enlarge").click()
    return shown(browser)


def downloaded(browser, folder, name):
    one(browser, "#download").click()
    wait(browser, lambda _: (folder / name).exists())
    return folder / name


def told(browser, words):
    wait(browser, lambda b: words in b.find_element(By.TAG_NAME, "body").text)


def test_a_picture_is_enlarged_compared_and_downloaded(opened, home, tmp_path):
    assert one(opened, "#model input").get_attribute("value") == "mine.safetensors"
    assert not one(opened, "#hint")
    before, after = enlarge(opened, home / "small.png")
    assert one(opened, "#facts").text.startswith("100 × 60 to 400 × 240 pixels · mine.safetensors")

    def hidden():
        inset = after.value_of_css_property("clip-path")
        return float(re.findall(r"([\d.]+)%", inset)[-1])

    assert hidden() == pytest.approx(50, abs=1)
    handle = one(opened, "#slider [data-testid=slider] .icon-wrap") or one(opened, "#slider .inner")
    quarter = before.size["width"] / 4
    ActionChains(opened).drag_and_drop_by_offset(handle, round(quarter), 0).perform()
    assert hidden() == pytest.approx(75, abs=2)

    got = downloaded(opened, tmp_path, "small_x4.png")
    command = ["upscale", str(home / "small.png"), "-o", str(home), "--suffix", "_x4", "-m"]
    command += [str(home / "mine.safetensors"), *OPTIONS]
    subprocess.run([sys.executable, "-m", "srgan_lightning", *command], check=True)
    with Image.open(got) as one_way, Image.open(home / "small_x4.png") as other:
        assert np.array_equal(np.asarray(one_way), np.asarray(other))
        assert one_way.text == other.text


def test_another_model_is_chosen_and_opacity_is_kept(opened, home, tmp_path):
    enlarge(opened, home / "glass.png", "bicubic")
    assert " · bicubic · " in one(opened, "#facts").text
    with Image.open(downloaded(opened, tmp_path, "glass_x4.png")) as image:
        assert (image.mode, image.size) == ("RGBA", (160, 120))
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("large.png", "large.png: 1000 × 501 are 0.50 MP, and this page takes at most 0.5;"),
        ("broken.png", "broken.png: cannot be read as a picture ("),
        ("heavy.tif", "size"),
    ],
)
def test_what_is_not_taken_is_told_on_the_page(opened, home, name, words):
    upload(opened, home / name)
    told(opened, words)
    assert not one(opened, "#slider img")
    assert not one(opened, "#preview img")


def test_without_a_picture_the_button_asks_for_one(opened):
    one(opened, "#enlarge").click()
    told(opened, "Drop a picture first.")


def test_a_picture_taken_away_takes_its_result_along(opened, home):
    enlarge(opened, home / "small.png")
    one(opened, "#picture [aria-label=Clear]").click()
    wait(opened, lambda b: not one(b, "#slider img") and not one(b, "#preview img"))
    assert one(opened, "#facts").text == ""
    assert one(opened, "#download").text == "Download"


@pytest.mark.parametrize("width", [1280, 800, 500])
def test_no_window_is_scrolled_sideways(opened, home, width):
    opened.set_window_size(width, 900)
    enlarge(opened, home / "small.png")
    room = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    wide, seen = opened.execute_script(room)
    opened.set_window_size(1000, 900)
    assert wide <= seen


def asked(server, path, **headers):
    session = requests.Session()
    session.trust_env = False  # no proxy between
    return session.get(server.address + path, headers=headers, timeout=30)


def test_files_and_other_names_of_the_machine_are_refused(server):
    assert asked(server, "").status_code == 200
    assert asked(server, "", Host="elsewhere.example").status_code == 400
    for file in (__file__, "pyproject.toml", "/etc/passwd"):
        assert asked(server, f"gradio_api/file={file}").status_code == 403


@pytest.fixture
def bare(request, tmp_path):
    """A page without trained models, for a test to end."""
    started = Server(tmp_path, *getattr(request, "param", ()))
    yield started
    started.process.kill()
    started.process.communicate()


def test_without_a_model_the_page_offers_the_packaged_ones(browser, bare):
    browser.get(bare.address)
    wait(browser, lambda b: one(b, "#model input"))
    assert one(browser, "#model input").get_attribute("value") == "photo-psnr"
    browser.get("about:blank")
    bare.process.terminate()
    bare.process.communicate(timeout=30)
    assert list(bare.temporary.iterdir()) == []


@pytest.mark.parametrize("bare", [("total_variation",)], indirect=True)
def test_an_interrupt_ends_work_that_is_under_way(browser, home, bare):
    browser.get(bare.address)
    wait(browser, lambda b: one(b, "#picture input[type=file]") and one(b, "#model input"))
    upload(browser, home / "large.png")
    wait(browser, lambda b: one(b, "#preview img"))
    one(browser, "#enlarge").click()
    wait(browser, lambda b: "total_variation" in one(b, "#slider").text)
    bare.end()

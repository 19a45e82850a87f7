"""A real ONNX Runtime enlarges what torch enlarges."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.errors import UserError
from srgan_lightning.export.write import export_onnx
from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.networks.generators.compact import Compact
from srgan_lightning.networks.weights import save_generator

OPTIONS = {"blocks": 2, "width": 8}
FACTS = {"degradation": "blur_bicubic(scale=4, sigma=1.6, quantize=True)"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A generator file and its exports."""
    folder = tmp_path_factory.mktemp("models")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = Compact(**OPTIONS).state_dict()
    path = folder / "g.safetensors"
    save_generator(path, state, name="compact", arguments=OPTIONS, scale=4, facts=FACTS)
    export_onnx(path, folder / "g.onnx")
    export_onnx(path, folder / "half.onnx", precision="float16")
    export_onnx(path, folder / "whole.onnx", whole=True)
    return folder


def picture(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, top, (height, width, 3), dtype, endpoint=True)


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (41, 23)])
@pytest.mark.parametrize("tile", ["auto", None, 6])
def test_it_makes_what_torch_makes(folder, size, tile):
    lr = picture(*size)
    ours = load_upscaler(folder / "g.safetensors", precision="32-true").enlarge(lr)
    upscaler = load_upscaler(folder / "g.onnx", tile=tile)
    assert (upscaler.scale, upscaler.halo) == (4, 4)
    assert upscaler.degradation == FACTS["degradation"]
    assert abs(upscaler.enlarge(lr).astype(int) - ours).max() <= 1
    assert (upscaler.enlarge(lr) == ours).mean() > 0.999


def test_16_bits_want_float32(folder):
    lr = picture(9, 8, np.uint16)
    ours = load_upscaler(folder / "g.safetensors").enlarge(lr)
    enlarged = load_upscaler(folder / "g.onnx").enlarge(lr)
    assert abs(enlarged.astype(int) - ours).max() <= 3
    for name in ("half.onnx", "whole.onnx"):
        with pytest.raises(UserError, match=f"{name}: serves 8 bits a sample only, and these are"):
            load_upscaler(folder / name).enlarge(lr)


@pytest.mark.parametrize("name", ["half.onnx", "whole.onnx"])
def test_files_of_other_samples_are_fed(folder, name):
    lr = picture(20, 13)
    ours = load_upscaler(folder / "g.safetensors", precision="32-true").enlarge(lr)
    enlarged = load_upscaler(folder / name, tile=8).enlarge(lr)
    assert abs(enlarged.astype(int) - ours).max() <= 1


def test_torch_is_never_imported(folder, tmp_path):
    for name, mode in (("grey.png", "L"), ("alpha.png", "RGBA"), ("rgb.jpg", "RGB")):
        Image.new(mode, (64, 64)).save(tmp_path / name)
    code = (
        "import sys; from srgan_lightning.cli import main\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "upscale", str(tmp_path), "-o", str(tmp_path / "out")]
    command += ["--model", str(folder / "g.onnx"), "--scale", "3"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert done.stderr.split()[-1] == "False"
    assert "3 of 3 pictures enlarged" in done.stdout
    for name, mode in (("grey.png", "L"), ("alpha.png", "RGBA"), ("rgb.png", "RGB")):
        with Image.open(tmp_path / "out" / name) as image:
            assert (image.size, image.mode) == ((192, 192), mode)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("g.onnx", {"backend": "torch"}, "cannot be run by --backend torch"),
        ("g.safetensors", {"backend": "onnx"}, "`srgan export` makes an ONNX file"),
        ("g.onnx", {"precision": "32-true"}, "computes in its own precision"),
        ("g.onnx", {"device": "tpu"}, "device: 'tpu' is not to be had by ONNX Runtime; take auto"),
        ("absent.onnx", {}, "absent.onnx: no such file"),
    ],
)
def test_mistakes_are_told(folder, name, options, message):
    with pytest.raises(UserError, match=message):
        load_upscaler(folder / name, **options)

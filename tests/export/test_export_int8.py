import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from srgan_lightning.errors import UserError
from srgan_lightning.export import Exported, export_onnx, to_onnx
from srgan_lightning.export.int8 import SIDE, Calibration, to_int8
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.networks import GENERATORS, save_generator
from srgan_lightning.samples import sample_folder

ARGUMENTS = {"blocks": 2, "width": 8}


def save(path: Path, network: nn.Module) -> Path:
    state = network.state_dict()
    save_generator(path, state, name="compact", arguments=ARGUMENTS, scale=4, facts={})
    return path


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(1)
    return GENERATORS.build("compact", ARGUMENTS, scale=4).eval()


@pytest.fixture(scope="module")
def source(tmp_path_factory, network) -> Path:
    return save(tmp_path_factory.mktemp("source") / "net.safetensors", network)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """Two pieces of a packaged photograph."""
    folder = tmp_path_factory.mktemp("photographs")
    picture = read_rgb(sample_folder("train") / "tea-gardens.jpg")
    for number in range(2):
        Image.fromarray(picture[:150, 150 * number :][:, :161]).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def int8(tmp_path_factory, source, photographs) -> Exported:
    folder = tmp_path_factory.mktemp("int8")
    return export_onnx(
        source, folder / "x.onnx", precision="int8", calibration=photographs, license="MIT"
    )


def run(file: Path, lr: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {"lr": lr})[0]


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a.astype(float) - b.astype(float)).mean()))


def test_inner_convolutions_compute_in_integers(int8, network):
    model = onnx.load(int8.model)
    onnx.checker.check_model(model, full_check=True)
    constants = {each.name: each for each in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == sum(isinstance(each, nn.Conv2d) for each in network.modules())
    assert all(node.input[1] in constants for node in (convolutions[0], convolutions[-1]))
    for node in convolutions[1:-1]:
        picture, weight = (makers[name] for name in node.input[:2])
        assert [picture.op_type, weight.op_type] == ["DequantizeLinear"] * 2
        quantized, scales = (constants[name] for name in weight.input[:2])
        assert quantized.data_type == onnx.TensorProto.INT8
        assert np.abs(onnx.numpy_helper.to_array(quantized).astype(int)).max() == 64, "7 bits"
        assert list(scales.dims) == [quantized.dims[0]], "one scale per channel"
    kinds = {
        value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)
    }
    assert kinds == {onnx.TensorProto.FLOAT}
    shape = model.graph.output[0].type.tensor_type.shape
    sides = [side.dim_param or side.dim_value for side in shape.dim]
    assert sides == ["batch", 3, "4*height", "4*width"]
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]


def test_its_pictures_are_nearly_the_networks(int8, network):
    photograph = read_rgb(sample_folder("heldout") / "two-dogs.jpg")[100:143, 100:171]
    lr = photograph.transpose(2, 0, 1)[None] / np.float32(255)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr)).numpy()
    sr = run(int8.model, lr)
    assert 40 <= decibels(sr, expected) < 100
    assert all(row.decibels >= 40 for row in int8.description.parity)


def test_whole_pictures_by_integers(source, photographs, tmp_path, int8):
    whole = export_onnx(
        source, tmp_path / "x.onnx", precision="int8", calibration=photographs, whole=True
    )
    pictures = np.random.default_rng(0).integers(0, 256, (2, 9, 14, 3), np.uint8)
    sr = run(whole.model, pictures)
    assert (sr.dtype, sr.shape) == (np.uint8, (2, 36, 56, 3))
    floats = run(int8.model, pictures.transpose(0, 3, 1, 2) / np.float32(255))
    expected = (floats.clip(0, 1) * 255).round().transpose(0, 2, 3, 1)
    assert np.abs(sr - expected).max() <= 1


def test_it_says_on_what_it_was_calibrated(int8, photographs, source, tmp_path, capfd, monkeypatch):
    said = onnxruntime.InferenceSession(int8.model).get_modelmeta().custom_metadata_map
    assert said["precision"] == "int8"
    given = json.loads(said["calibration"])
    assert (given["photographs"], len(given["sha256"])) == (2, 64)
    assert f"2 given photographs (SHA-256 {given['sha256'][:16]})" in int8.card.read_text()

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    packaged = export_onnx(source, tmp_path / "x.onnx", precision="int8")
    assert not list(scratch.iterdir())
    assert capfd.readouterr() == ("", "")
    facts = packaged.description.calibration
    names = sorted(file.name for file in sample_folder("train").glob("*.jpg"))
    assert (facts["photographs"], facts["names"]) == (len(names), names)
    assert f"{len(names)} packaged photographs: {names[0]}, " in packaged.card.read_text()
    for each in (int8, packaged):
        content = each.model.read_bytes() + each.card.read_bytes()
        places = (tempfile.gettempdir(), str(photographs), str(Path.home()), "srgan_lightning/")
        for place in (*places, "site-packages", "onnxruntime.quant", ".py"):
            assert place.encode() not in content, place


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--fp16"], ["--int8", "--whole"]], ids=" ".join)
def test_processes_of_their_own_make_equal_bytes(source, tmp_path, photographs, options):
    if "--int8" in options:
        options = [*options, "--calibration", str(photographs)]
    files = []
    for seed in ("1", "2"):
        files.append(tmp_path / seed / "model.onnx")
        command = [sys.executable, "-m", "srgan_lightning", "export", source, "-o", files[-1]]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([*command, *options], check=True, env=environment, capture_output=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    cards = [file.with_suffix(".md").read_bytes() for file in files]
    assert cards[0] == cards[1]


def test_what_integers_spoil_is_refused(network, tmp_path, photographs):
    """One channel is so strong that the steps of 8 bits swallow all others beside it."""
    spoilt = copy.deepcopy(network)
    with torch.no_grad():
        for layer in spoilt.body[2].weight, spoilt.body[2].bias:
            layer[0] *= 1e4
        spoilt.body[4].weight[:, 0] /= 1e4
    lr = torch.rand(1, 3, 8, 9)
    assert torch.allclose(spoilt(lr), network(lr), atol=1e-5)
    file = save(tmp_path / "spoilt.safetensors", spoilt)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match="refused, for ONNX Runtime and torch differ by") as told:
        export_onnx(file, tmp_path / "x.onnx", precision="int8", calibration=photographs)
    assert str(told.value).endswith("asked for: at least 40 dB")
    assert "\n" not in str(told.value)
    assert sorted(tmp_path.iterdir()) == before


def test_two_convolutions_have_nothing_between_them(tmp_path, photographs):
    pair = nn.Sequential(nn.Conv2d(3, 48, 3, padding=1), nn.PixelShuffle(4), nn.Conv2d(3, 3, 1))
    model = to_onnx(pair.eval(), torch.rand(2, 3, 12, 14), name="pair")
    with pytest.raises(UserError, match="pair has no convolution between its first and its last"):
        to_int8(model, Calibration.of(photographs), scale=4, name="pair")


def test_photographs_that_cannot_be_read_are_told(source, tmp_path, photographs):
    with pytest.raises(UserError, match=r"absent: no such folder$"):
        Calibration.of(tmp_path / "absent")
    folder = tmp_path / "pictures"
    folder.mkdir()
    with pytest.raises(UserError, match=r"pictures: holds no pictures to calibrate on$"):
        Calibration.of(folder)
    Image.new("RGB", (3, 9)).save(folder / "small.png")
    with pytest.raises(UserError, match=r"small.png: is smaller than 4 pixels; leave it out$"):
        list(Calibration.of(folder).pictures(4))
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken.png: cannot be read as a picture \([^\n]+\)$"):
        export_onnx(source, tmp_path / "x.onnx", precision="int8", calibration=folder)
    with pytest.raises(UserError, match="calibration is for int8, not for float32"):
        export_onnx(source, tmp_path / "x.onnx", calibration=photographs)
    assert list(tmp_path.iterdir()) == [folder]


@settings(max_examples=20, deadline=None)
@given(height=st.integers(2, 300), width=st.integers(2, 300), scale=st.sampled_from([2, 4]))
def test_the_middle_of_a_photograph_is_reduced(height, width, scale):
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (width * scale, height * scale), "red").save(Path(folder) / "red.png")
        (lr,) = Calibration.of(Path(folder)).pictures(scale)
    assert lr.shape == (1, min(height, SIDE), min(width, SIDE), 3)
    assert (lr == [255, 0, 0]).all()

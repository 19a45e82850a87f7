from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from srgan_lightning.cli import app
from srgan_lightning.errors import UserError
from srgan_lightning.inference.generators import find_generator
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator


def test_a_name_is_enough_where_there_are_no_weights():
    generator, facts = find_generator("lanczos", scale=3)
    assert type(generator).__name__ == "Lanczos"
    assert (generator.scale, facts, generator.training) == (3, {}, False)


def test_a_file_of_that_name_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bicubic").write_text("not a model")
    with pytest.raises(UserError, match=r"bicubic: a model is"):
        find_generator("bicubic")


def test_a_file_keeps_its_scale(tmp_path):
    network = SRResNet(scale=2, blocks=1, width=8)
    path = tmp_path / "generator.safetensors"
    save_generator(
        path,
        network.state_dict(),
        name="srresnet",
        arguments={"blocks": 1, "width": 8},
        scale=2,
        facts={},
    )
    assert TorchUpscaler.load(path, scale=4, precision="32-true").scale == 2


def test_a_network_s_name_asks_for_its_weights():
    with pytest.raises(UserError, match="srresnet: is a generator with weights; give a file"):
        find_generator("srresnet")


def test_upscale_takes_a_method_s_name(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    big = tmp_path / "big.png"
    result = CliRunner().invoke(
        app, ["upscale", str(tmp_path / "a.png"), "-o", str(big), "--model", "nearest"]
    )
    assert result.exit_code == 0, result.output
    with Image.open(big) as image:
        assert (np.asarray(image) == pixels.repeat(4, 0).repeat(4, 1)).all()
        assert image.text["Model"] == "nearest"

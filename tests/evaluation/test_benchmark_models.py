import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import BenchmarkPair, GeneratorModel, ReadyPictures
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet

PAIR = BenchmarkPair("deep/bird", torch.rand(1, 3, 6, 5), torch.rand(1, 3, 24, 20))


def test_bicubic_is_matlab_s():
    upscaler = TorchUpscaler.load("bicubic", device="cpu", precision="32-true")
    model = GeneratorModel(name="bicubic", upscaler=upscaler)
    assert torch.equal(model(PAIR), imresize(PAIR.lr, scale=4))


def test_a_generator_is_run_by_its_upscaler():
    upscaler = TorchUpscaler(SRResNet(blocks=1, width=8), device="cpu", precision="32-true")
    model = GeneratorModel(name="ours", upscaler=upscaler)
    assert model.name == "ours"
    assert torch.equal(model(PAIR), upscaler(PAIR.lr))


@pytest.mark.parametrize("name", ["bird.png", "birdx4.png"])
def test_ready_pictures_are_found_by_name(tmp_path, name):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    (tmp_path / "swinir/deep").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "swinir/deep" / name)
    model = ReadyPictures(tmp_path / "swinir", scale=4)
    assert model.name == "swinir"
    assert torch.equal(model(PAIR), to_tensor(pixels))


def test_ready_pictures_that_do_not_fit_are_named(tmp_path):
    (tmp_path / "deep").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "deep/bird.png")
    with pytest.raises(UserError, match=r"bird.png: is 20x20 and its HR picture 20x24"):
        ReadyPictures(tmp_path)(PAIR)
    other = BenchmarkPair("cat", PAIR.lr, PAIR.hr)
    with pytest.raises(UserError, match="has no picture named cat"):
        ReadyPictures(tmp_path)(other)
    with pytest.raises(UserError, match="is no folder"):
        ReadyPictures(tmp_path / "absent")

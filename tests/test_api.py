import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import srgan_lightning
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator

ARGUMENTS = {"blocks": 1, "width": 8, "image_skip": "bicubic", "norm": "none"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    state = SRResNet(**ARGUMENTS).state_dict()
    save_generator(path, state, name="srresnet", arguments=ARGUMENTS, scale=4, facts={})
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hr").mkdir()
    Image.fromarray(picture(36, 48)).save(tmp_path / "hr/bird.png")
    return tmp_path / "hr"


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, srgan_lightning; print(*sys.modules); print(srgan_lightning.__version__)"
    modules, number = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    heavy = {"torch", "numpy", "PIL", "hydra", "pytorch_lightning", "wandb", "kornia"}
    assert not heavy & set(modules.split())
    assert number == version("srgan-lightning")


def test_every_public_name_is_there():
    assert set(srgan_lightning.__all__) <= set(dir(srgan_lightning))
    for name in srgan_lightning.__all__:
        assert getattr(srgan_lightning, name)
    with pytest.raises(AttributeError, match="no attribute 'upscale_everything'"):
        srgan_lightning.upscale_everything  # noqa: B018


def test_a_generator_comes_back_ready(file):
    network = srgan_lightning.load_generator(file)
    assert not network.training
    assert network(torch.zeros(1, 3, 4, 5)).shape == (1, 3, 16, 20)


def test_a_picture_is_enlarged_by_any_kind_of_model(file):
    lr = picture(6, 7)
    network = srgan_lightning.load_generator(file)
    enlarged = [
        srgan_lightning.enlarge(lr, model)
        for model in (network, file, str(file), TorchUpscaler(network))
    ]
    assert enlarged[0].shape == (24, 28, 3)
    assert all((other == enlarged[0]).all() for other in enlarged)


def test_a_picture_is_degraded_as_in_training():
    hr = picture(35, 42)
    lr = srgan_lightning.degrade(hr)
    blur = DEGRADATIONS.build("blur_bicubic", {}, scale=4)
    assert (lr == to_picture(blur(to_tensor(hr[:32, :40])))).all()
    assert srgan_lightning.degrade(hr, "bicubic", scale=2).shape == (17, 21, 3)
    assert not np.array_equal(lr, srgan_lightning.degrade(hr, {"name": "blur_bicubic", "sigma": 3}))


def test_random_degradations_repeat_with_the_seed():
    hr, node = picture(32, 32), {"name": "blur_bicubic", "sigma": [0.5, 3.0]}
    first = srgan_lightning.degrade(hr, node, seed=1)
    assert (srgan_lightning.degrade(hr, node, seed=1) == first).all()
    assert (srgan_lightning.degrade(hr, node, seed=2) != first).any()


def test_models_are_measured(file, folder):
    bicubic = srgan_lightning.evaluate("bicubic", folder, degradation="bicubic", crop=2)
    assert bicubic.mean("bicubic")["psnr"] > 5
    assert bicubic.protocol.crop == 2
    by_file = srgan_lightning.evaluate(file, folder)
    by_network = srgan_lightning.evaluate(srgan_lightning.load_generator(str(file)), str(folder))
    assert by_file.mean("tiny.safetensors")["psnr"] == by_network.mean("SRResNet")["psnr"]


def test_given_lr_is_used(folder, tmp_path):
    (tmp_path / "lr").mkdir()
    Image.new("RGB", (12, 9), "black").save(tmp_path / "lr/bird.png")
    table = srgan_lightning.evaluate("bicubic", folder, lr=tmp_path / "lr")
    assert table.protocol.degradation == "given files (lr)"
    assert table.mean("bicubic")["sharpness"] == pytest.approx(0, abs=1e-3)


def test_mistakes_are_said_in_one_line(tmp_path, folder):
    with pytest.raises(UserError, match="no such file"):
        srgan_lightning.load_generator(tmp_path / "absent.safetensors")
    with pytest.raises(UserError, match="did you mean bicubic"):
        srgan_lightning.degrade(picture(8, 8), "bicubik")
    with pytest.raises(UserError, match=r"protocol\.space: "):
        srgan_lightning.evaluate("bicubic", folder, space="lab")

"""A generator made ready to run fast answers as it does by itself, whole and by rows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import pil_to_tensor
from zoo import NETWORKS, stir

import srgan_lightning.classical  # noqa: F401 - registers the methods without a network
from srgan_lightning.inference.prepare import prepared
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS, Generator
from srgan_lightning.networks.generators.rrdbnet import RRDBNet
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.samples import sample_folder

CPU = torch.device("cpu")
NAMES = ["nearest", "bilinear", "bicubic", "lanczos", "total_variation"]
EVERY = [*((name, row.build) for name, row in NETWORKS.items())]
EVERY += [(name, lambda scale=4, n=name: GENERATORS.build(n, {}, scale=scale)) for name in NAMES]
every_generator = pytest.mark.parametrize("build", [b for _, b in EVERY], ids=[n for n, _ in EVERY])


def upscaler_of(generator: Generator, precision: str = "32-true") -> TorchUpscaler:
    return TorchUpscaler(generator, device="cpu", precision=precision)


def photograph() -> Tensor:
    with Image.open(sample_folder("heldout") / "perched-osprey.jpg") as file:
        crop = file.crop((200, 300, 248, 340))
    return pil_to_tensor(crop)[None].float() / 255


def decibels(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


@every_generator
@settings(max_examples=5, deadline=None)
@given(height=st.integers(1, 15), width=st.integers(1, 15), tile=st.sampled_from([3, 7, None]))
def test_in_float32_it_is_the_generator(build, height, width, tile):
    generator = build().eval()
    stir(generator)
    lr = torch.rand(2, 3, height, width)
    with torch.no_grad():
        expected = generator(lr)
    upscaler = upscaler_of(generator)
    upscaler.tile = tile if generator.halo is not None else None
    torch.testing.assert_close(upscaler(lr), expected, rtol=0, atol=1e-5)


@every_generator
def test_in_bf16_it_is_the_generator_under_autocast(build):
    generator, lr = build().eval(), photograph()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        expected = generator(lr).float()
    assert decibels(upscaler_of(generator, "bf16-mixed")(lr), expected) > 50


@pytest.mark.parametrize("skip", ["none", "bicubic"])
def test_averages_of_batchnorm_count(skip):
    net = SRResNet(blocks=2, width=8, image_skip=skip)
    stir(net)
    net(torch.rand(2, 3, 16, 16))
    lr = torch.rand(1, 3, 9, 11)
    expected = net.eval()(lr)
    assert not any(
        isinstance(m, nn.BatchNorm2d) for m in prepared(net, CPU, torch.float32).modules()
    )
    torch.testing.assert_close(upscaler_of(net)(lr), expected, rtol=0, atol=1e-5)


def test_bf16_does_not_round_the_picture_itself():
    torch.manual_seed(0)
    net, lr = RRDBNet(blocks=16, width=16, growth=16).eval(), photograph()
    exact, quick = (upscaler_of(net, p)(lr) for p in ("32-true", "bf16-mixed"))
    assert not torch.equal(exact, quick)
    assert decibels(exact, quick) > 60


def test_the_original_stays_as_it_was():
    net = NETWORKS["srresnet"].build().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    layers = [type(layer) for layer in net.modules()]
    upscaler_of(net, "bf16-mixed")(torch.rand(1, 3, 8, 8))
    assert net.training
    assert [type(layer) for layer in net.modules()] == layers
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_bytes_per_pixel_grow_with_the_network_and_shrink_with_the_precision():
    small, large = (upscaler_of(SRResNet(blocks=2, width=w))._bytes_per_pixel for w in (16, 32))
    assert 1.5 * small < large < 2.5 * small
    half = upscaler_of(SRResNet(blocks=2, width=32), "bf16-mixed")._bytes_per_pixel
    assert half < 0.75 * large

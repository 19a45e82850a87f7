"""PatchGAN and the U-Net: the papers' layers, receptive fields, sizes, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.losses import gradient_penalty
from srgan_lightning.networks import DISCRIMINATORS
from srgan_lightning.networks.discriminators import PatchGAN, UNetDiscriminator

SMALL = {
    "patchgan": PatchGAN(crop_size=32, width=4),
    "patchgan, instance": PatchGAN(crop_size=32, width=4, norm="instance"),
    "patchgan, none": PatchGAN(crop_size=32, width=4, norm="none"),
    "unet": UNetDiscriminator(crop_size=32, width=4),
}


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameter_counts() -> None:
    assert count(UNetDiscriminator()) == 4_376_897  # BasicSR's UNetDiscriminatorSN
    assert count(PatchGAN(norm="instance")) == 2_764_737  # CycleGAN's discriminator
    assert count(PatchGAN()) == 2_764_737 + 128 + 256 + 512  # a scale more for each bias
    assert count(PatchGAN(norm="none")) == 2_764_737


def test_patchgan_judges_patches_of_70_pixels() -> None:
    net = PatchGAN(width=2, norm="none").double()
    image = torch.rand(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    net(image)[0, 0, 9, 9].backward()
    touched = image.grad[0].abs().sum(0).nonzero()
    low, high = touched.min(0).values, touched.max(0).values
    assert (high - low + 1).tolist() == [70, 70]


@settings(max_examples=15, deadline=None)
@given(height=st.integers(24, 60), width=st.integers(24, 60))
def test_patchgan_gives_a_map_for_any_size(height, width) -> None:
    logits = SMALL["patchgan, instance"](torch.rand(1, 3, height, width))
    assert logits.shape == (1, 1, height // 8 - 2, width // 8 - 2)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 5), width=st.integers(1, 5))
def test_the_unet_gives_a_logit_for_every_pixel(height, width) -> None:
    logits = SMALL["unet"](torch.rand(2, 3, 8 * height, 8 * width))
    assert logits.shape == (2, 1, 8 * height, 8 * width)


def test_the_unet_is_basicsrs() -> None:
    """Layer names and shapes of BasicSR, and the drawing of its paper, written down plainly."""
    torch.manual_seed(0)
    net = UNetDiscriminator(width=4).eval()
    assert [name for name, _ in net.named_children()] == [f"conv{i}" for i in range(10)]
    weights = [getattr(net, f"conv{i}").weight for i in range(10)]
    biases = [getattr(net, f"conv{i}").bias for i in range(10)]
    assert [bias is not None for bias in biases] == [True, *[False] * 8, True]

    def layer(index, x):
        stride = 2 if index in (1, 2, 3) else 1
        return F.conv2d(x, weights[index], biases[index], stride=stride, padding=1)

    def lrelu(x):
        return torch.where(x > 0, x, 0.2 * x)

    def double(x):
        return nn.Upsample(scale_factor=2, mode="bilinear")(x)

    image = torch.rand(2, 3, 16, 24)
    down = [lrelu(layer(0, image))]
    for index in (1, 2, 3):
        down.append(lrelu(layer(index, down[-1])))
    x = down.pop()
    for index in (4, 5, 6):
        x = lrelu(layer(index, double(x))) + down.pop()
    expected = layer(9, lrelu(layer(8, lrelu(layer(7, x)))))
    torch.testing.assert_close(net(image), expected)


def test_the_unets_inner_layers_have_the_spectral_norm_of_one() -> None:
    torch.manual_seed(0)
    net = UNetDiscriminator(width=4)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3)
    for _ in range(60):  # each pass in training mode is one power iteration
        net(torch.rand(1, 3, 8, 8))
    net.eval()
    norms = [
        torch.linalg.matrix_norm(getattr(net, f"conv{i}").weight.flatten(1), 2) for i in range(10)
    ]
    torch.testing.assert_close(torch.stack(norms[1:9]), torch.ones(8), atol=1e-2, rtol=0)
    assert norms[0] > 1.1


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_parameter_learns_under_autocast_too(name, dtype) -> None:
    torch.manual_seed(0)
    net = SMALL[name].to(memory_format=torch.channels_last).train()
    net.zero_grad()
    image = torch.rand(2, 3, 32, 32).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        logits = net(image)
        net(image)  # a second pass before the first one's gradient, as D's step has it
    assert logits.dtype == dtype
    (logits.float() - 1).square().mean().backward()
    unused = {"layers.2.bias", "layers.5.bias", "layers.8.bias"} if "instance" in name else set()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0 or key in unused, key


@pytest.mark.parametrize("name", ["patchgan, instance", "patchgan, none", "unet"])
def test_they_can_be_critics(name) -> None:
    net = SMALL[name].train()
    net.zero_grad()
    gradient_penalty(net, *torch.rand(2, 2, 3, 32, 32)).backward()
    weights = [p.grad for key, p in net.named_parameters() if "bias" not in key]
    assert all(torch.isfinite(g).all() and g.abs().max() > 0 for g in weights)


def test_patchgan_starts_as_the_paper_says_and_sees_minus_one_to_one() -> None:
    net = PatchGAN(norm="none")
    for layer in net.layers:
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    small = SMALL["patchgan, none"]
    image = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(small(image), small.layers(2 * image - 1))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("unet", (32, 36), "multiples of 8, not 32x36; set data.crop_size"),
        ("patchgan", (20, 32), "24 pixels or more a side, not 20x32; set data.crop_size"),
    ],
)
def test_other_sizes_are_the_users_error(name, size, message) -> None:
    with pytest.raises(UserError, match=message):
        SMALL[name](torch.rand(1, 3, *size))
    with pytest.raises(UserError, match=r"set data\.crop_size"):
        DISCRIMINATORS.build(name, {"crop_size": 20})


def test_the_unets_weights_come_back_in_the_same_state() -> None:
    torch.manual_seed(0)
    net, other = UNetDiscriminator(width=2), UNetDiscriminator(width=2)
    other.load_state_dict(net.state_dict())
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(net(image), other(image))
    assert torch.equal(net(image), other(image))

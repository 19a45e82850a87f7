"""The discriminator against the paper's figure."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS
from srgan_lightning.networks.discriminators.srgan import SRGANDiscriminator


def test_layers_are_the_papers() -> None:
    convolutions = [m for m in SRGANDiscriminator().features if isinstance(m, nn.Conv2d)]
    assert [(c.kernel_size[0], c.out_channels, c.stride[0]) for c in convolutions] == [
        *((3, 64, 1), (3, 64, 2), (3, 128, 1), (3, 128, 2)),
        *((3, 256, 1), (3, 256, 2), (3, 512, 1), (3, 512, 2)),
    ]
    kinds = [type(m).__name__ for m in SRGANDiscriminator().features]
    assert kinds == ["Conv2d", "LeakyReLU", *(["Conv2d", "BatchNorm2d", "LeakyReLU"] * 7)]
    slopes = {
        m.negative_slope for m in SRGANDiscriminator().modules() if isinstance(m, nn.LeakyReLU)
    }
    assert slopes == {0.2}


def test_parameter_count_at_96_pixels() -> None:
    channels = [64, 64, 128, 128, 256, 256, 512, 512]
    first = 3 * 64 * 9 + 64  # the one convolution with a bias, for no BatchNorm follows
    convolutions = sum(9 * a * b for a, b in itertools.pairwise(channels))
    norms = sum(2 * c for c in channels[1:])
    dense = 6 * 6 * 512 * 1024 + 1024 + 1024 + 1  # 96 halved four times is 6
    total = sum(p.numel() for p in SRGANDiscriminator().parameters())
    assert total == first + convolutions + norms + dense == 23_563_649


@settings(max_examples=15, deadline=None)
@given(crop_size=st.integers(17, 70), norm=st.sampled_from(["batch", "none"]))
def test_every_crop_size_has_one_logit(crop_size, norm) -> None:
    net = SRGANDiscriminator(crop_size=crop_size, width=2, hidden=4, norm=norm)
    assert net(torch.rand(2, 3, crop_size, crop_size)).shape == (2, 1)


def test_images_reach_the_convolutions_in_minus_one_to_one() -> None:
    net = SRGANDiscriminator(crop_size=17, width=2, hidden=4)
    seen = []
    net.features[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.rand(2, 3, 17, 17)
    image[0], image[1] = 0, 1
    net(image)
    assert torch.equal(seen[0][0], torch.full((3, 17, 17), -1.0))
    assert torch.equal(seen[0][1], torch.full((3, 17, 17), 1.0))
    assert (image[0] == 0).all(), "the caller's image is left as it was"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_parameter_learns_under_autocast_too(dtype) -> None:
    torch.manual_seed(0)
    net = SRGANDiscriminator(crop_size=20, width=4, hidden=8)
    net = net.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits = net(torch.rand(4, 3, 20, 20).to(memory_format=torch.channels_last))
    logits.float().square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_learns_to_tell_two_kinds_apart() -> None:
    torch.manual_seed(0)
    net = SRGANDiscriminator(crop_size=17, width=4, hidden=8)
    flat = torch.rand(8, 3, 1, 1).expand(8, 3, 17, 17)
    noisy = torch.rand(8, 3, 17, 17)
    images, labels = torch.cat([flat, noisy]), torch.tensor([[0.0]] * 8 + [[1.0]] * 8)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(images), labels).backward()
        optimizer.step()
    assert ((net(images) > 0) == (labels > 0)).all()


def test_another_size_than_the_crop_is_the_users_error() -> None:
    net = SRGANDiscriminator(crop_size=32, width=2, hidden=4)
    with pytest.raises(UserError, match="crop_size: is 32, but the images are 48x32"):
        net(torch.rand(1, 3, 48, 32))
    with pytest.raises(UserError, match="crop_size: must be 17 or more"):
        DISCRIMINATORS.build("srgan", {"crop_size": 8})

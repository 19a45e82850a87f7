"""Networks against their papers' figures, written down a second time with nothing but functions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.testing import assert_close

from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS, Generator

Weights = list[Tensor]  # in the order in which a network's convolutions run


def stirred(name: str, **arguments) -> tuple[Generator, Weights]:
    torch.manual_seed(0)
    net = GENERATORS.build(name, arguments, scale=4).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net, [parameter.detach() for parameter in net.parameters()]


def conv(x: Tensor, weights: Weights) -> Tensor:
    """Take a weight and a bias from the front of the list."""
    weight, bias = weights.pop(0), weights.pop(0)
    return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def shuffle(x: Tensor, factor: int) -> Tensor:
    b, c, h, w = x.shape
    x = x.view(b, c // factor**2, factor, factor, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(b, c // factor**2, factor * h, factor * w)


def picture() -> Tensor:
    return torch.rand(2, 3, 7, 6, dtype=torch.float64)


def check(net: Generator, lr: Tensor, expected: Tensor) -> None:
    with torch.no_grad():
        assert_close(net(lr), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("middle", [1, 5])
def test_srcnn(middle) -> None:
    net, weights = stirred("srcnn", middle_kernel=middle, features=8, mapped=4)
    lr = picture()
    x = imresize(lr, scale=4)
    for _ in range(3):
        weight, bias = weights.pop(0), weights.pop(0)
        x = F.pad(x, [weight.shape[-1] // 2] * 4, mode="replicate")
        x = F.conv2d(x, weight, bias)
        x = x.clamp(min=0) if weights else x
    check(net, lr, x)


def test_vdsr() -> None:
    net, weights = stirred("vdsr", layers=20, width=4)
    lr = picture()
    x = bicubic = imresize(lr, scale=4)
    for _ in range(19):
        x = conv(x, weights).clamp(min=0)
    check(net, lr, bicubic + conv(x, weights))
    assert not weights


def test_espcn() -> None:
    net, weights = stirred("espcn")
    lr = picture()
    x = conv(lr, weights).tanh()
    x = conv(x, weights).tanh()
    check(net, lr, shuffle(conv(x, weights), 4))


def test_fsrcnn() -> None:
    net, weights = stirred("fsrcnn", features=8, shrunk=4, mappings=2)
    lr = picture()
    x = lr
    for _ in range(5):
        x = conv(x, weights)
        x = torch.where(x > 0, x, x * weights.pop(0)[:, None, None])
    weight, bias = weights
    # A deconvolution: zeros between the pixels, then a convolution with the kernel turned round.
    spread = torch.zeros(2, 8, 7 * 4 + 8, 6 * 4 + 8, dtype=x.dtype)
    spread[..., 5:-4:4, 5:-4:4][..., :7, :6] = x
    check(net, lr, F.conv2d(spread, weight.transpose(0, 1).flip(2, 3), bias))


def test_edsr() -> None:
    net, weights = stirred("edsr", blocks=3, width=6, residual_scale=0.1)
    lr = picture()
    mean = torch.tensor([0.4488, 0.4371, 0.4040])[:, None, None].double()
    x = first = conv(lr - mean, weights)
    for _ in range(3):
        x = x + 0.1 * conv(conv(x, weights).clamp(min=0), weights)
    x = first + conv(x, weights)
    for _ in range(2):
        x = shuffle(conv(x, weights), 2)
    check(net, lr, conv(x, weights) + mean)


def test_rdn() -> None:
    net, weights = stirred("rdn", blocks=3, layers=2, growth=4, width=6)
    lr = picture()
    first = conv(lr, weights)
    answers = [conv(first, weights)]
    for _ in range(3):
        known = [answers[-1]]
        for _ in range(2):
            known.append(conv(torch.cat(known, 1), weights).clamp(min=0))
        answers.append(conv(torch.cat(known, 1), weights) + answers[-1])
    fused = conv(conv(torch.cat(answers[1:], 1), weights), weights)
    x = fused + first
    for _ in range(2):
        x = shuffle(conv(x, weights), 2)
    check(net, lr, conv(x, weights))


def test_a_deconvolution_sits_over_its_pixels_block() -> None:
    for scale, first in {2: -4, 3: -3, 4: -3, 8: -1}.items():
        net = GENERATORS.build("fsrcnn", {"features": 2, "shrunk": 2}, scale=scale)
        inside = torch.zeros(1, 2, 9, 9)
        inside[..., 4, 4] = 1
        written = (net.deconvolution(inside) - net.deconvolution(0 * inside))[0, 0].nonzero()
        assert (written.amin(0) - 4 * scale).tolist() == [first, first]
        assert (written.amax(0) - 4 * scale).tolist() == [first + 8, first + 8]


@pytest.mark.parametrize(
    ("name", "arguments", "scale", "message"),
    [
        ("srcnn", {"middle_kernel": 2}, 4, "generator.middle_kernel: .*1, 3 or 5.*got 2"),
        ("srcnn", {"mapped": 0}, 4, r"generator.mapped: must be 1 or more \(got 0\)"),
        ("vdsr", {"layers": 1}, 4, r"generator.layers: must be 2 or more \(got 1\)"),
        ("espcn", {"activation": "gelu"}, 4, "generator.activation: .*'tanh'.*got 'gelu'"),
        ("fsrcnn", {}, 10, r"generator.scale: fsrcnn goes up to 9 \(got 10\)"),
        ("edsr", {"width": -1}, 4, r"generator.width: must be 1 or more \(got -1\)"),
        ("rdn", {"growht": 8}, 4, "generator.growht: no such option; did you mean growth"),
    ],
)
def test_a_wrong_option_is_the_users_error(name, arguments, scale, message) -> None:
    with pytest.raises(UserError, match=message):
        GENERATORS.build(name, arguments, scale=scale)

"""The thesis's networks against Keras's counts and against a transcription of its layers."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.networks.discriminators.keras_srgan import KerasSRGANDiscriminator
from srgan_lightning.networks.generators.keras_srgan import KerasSRGAN


def trainable(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def statistics(module: nn.Module) -> int:
    """Count what Keras counts among its parameters and PyTorch keeps in buffers."""
    return sum(
        buffer.numel()
        for name, buffer in module.named_buffers()
        if name.endswith(("running_mean", "running_var"))  # num_batches_tracked is PyTorch's own
    )


def same(x: Tensor, w: Tensor, b: Tensor, stride: int = 1) -> Tensor:
    """A Keras convolution with `padding="same"`: TensorFlow pads the odd pixel behind."""
    pads = []
    for side in (x.shape[-1], x.shape[-2]):
        whole = max((-(-side // stride) - 1) * stride + w.shape[-1] - side, 0)
        pads += [whole // 2, whole - whole // 2]
    return F.conv2d(F.pad(x, pads), w, b, stride)


def norm(x: Tensor, w: dict[str, Tensor], at: str) -> Tensor:
    column = {name: w[f"{at}.{name}"][:, None, None] for name in ("weight", "bias")}
    mean, var = w[f"{at}.running_mean"][:, None, None], w[f"{at}.running_var"][:, None, None]
    return (x - mean) / (var + 1e-3).sqrt() * column["weight"] + column["bias"]


def slopes(x: Tensor, a: Tensor) -> Tensor:
    return x.clamp(min=0) + a[:, None, None] * x.clamp(max=0)


def keras_generator(lr: Tensor, w: dict[str, Tensor], blocks: int, activation: str) -> Tensor:
    def conv(x: Tensor, at: str) -> Tensor:
        return same(x, w[f"{at}.weight"], w[f"{at}.bias"])

    x = first = slopes(conv(lr, "head.0"), w["head.1.weight"])
    for b in range(blocks):
        at = f"body.{b}.branch"
        y = slopes(norm(conv(x, f"{at}.0"), w, f"{at}.1"), w[f"{at}.2.weight"])
        x = x + norm(conv(y, f"{at}.3"), w, f"{at}.4")
    x = first + norm(conv(x, f"body.{blocks}"), w, f"body.{blocks + 1}")
    for at in (0, 3):
        x = conv(x, f"upsample.{at}").repeat_interleave(2, -1).repeat_interleave(2, -2)
        if activation == "prelu":
            x = slopes(x, w[f"upsample.{at + 1}.weight"])
        else:
            x = torch.maximum(x, 0.2 * x)
    return torch.tanh(conv(x, "tail.0"))


@pytest.mark.parametrize("activation", ["leaky_relu", "prelu"])
def test_the_generator_equals_a_transcription(activation: str):
    torch.manual_seed(0)
    net = KerasSRGAN(blocks=2, width=4, upsample_activation=activation).double()
    for parameter in net.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.1, 0.9)
    lr = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    for _ in range(3):
        net(lr)
    net.eval()
    with torch.no_grad():
        expected = keras_generator(lr, dict(net.state_dict()), 2, activation)
        torch.testing.assert_close(2 * net(lr) - 1, expected)


@pytest.mark.parametrize("side", [32, 27])
def test_the_discriminator_equals_a_transcription(side: int):
    torch.manual_seed(0)
    net = KerasSRGANDiscriminator(crop_size=side, width=2, hidden=8).double()
    images = torch.rand(3, 3, side, side, dtype=torch.float64)
    for _ in range(3):
        net(images)
    net.eval()
    w = dict(net.state_dict())
    at, x = 0, 2 * images - 1
    for index in range(8):
        at += 1  # the padding
        x = same(x, w[f"features.{at}.weight"], w[f"features.{at}.bias"], stride=1 + index % 2)
        at += 1
        if index:
            x = norm(x, w, f"features.{at}")
            at += 1
        x = torch.maximum(x, 0.2 * x)
        at += 1
    x = F.linear(x.flatten(1), w["classifier.1.weight"], w["classifier.1.bias"])
    x = F.linear(torch.maximum(x, 0.2 * x), w["classifier.3.weight"], w["classifier.3.bias"])
    with torch.no_grad():
        torch.testing.assert_close(net(images), x)


def test_the_generator_has_the_thesiss_count():
    net = KerasSRGAN()
    head = 9 * 9 * 3 * 64 + 64 + 64  # a convolution with its bias, a slope for each channel
    block = 2 * (3 * 3 * 64 * 64 + 64) + 2 * 2 * 64 + 64
    behind = 3 * 3 * 64 * 64 + 64 + 2 * 64
    upsampling = (3 * 3 * 64 * 256 + 256) + (3 * 3 * 256 * 256 + 256)
    last = 9 * 9 * 256 * 3 + 3
    assert trainable(net) == head + 16 * block + behind + upsampling + last == 2_039_555
    assert statistics(net) == 33 * 2 * 64 == 4_224
    assert trainable(net) + statistics(net) == 2_043_779


def test_the_discriminator_has_the_thesiss_count():
    with torch.device("meta"):
        net = KerasSRGANDiscriminator()
    assert net.classifier[1].in_features == 24 * 24 * 512
    assert statistics(net) == 2 * (64 + 2 * 128 + 2 * 256 + 2 * 512) == 3_712
    assert trainable(net) + statistics(net) == 306_684_737
    with_moments = 4 * (3 * (trainable(net) + trainable(KerasSRGAN())))  # float32, Adam
    assert 3.65e9 < with_moments < 3.75e9


def test_momenta_are_kerass():
    net = KerasSRGAN(blocks=2, momentum=0.5, last_momentum=0.8)
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [norm.momentum for norm in norms] == pytest.approx([0.5] * 4 + [0.2])
    assert {norm.eps for norm in norms} == {1e-3}
    judge = KerasSRGANDiscriminator(crop_size=32, width=2, hidden=2, momentum=0.6)
    assert [m.momentum for m in judge.modules() if isinstance(m, nn.BatchNorm2d)] == (
        pytest.approx([0.4] * 7)
    )
    # moving = momentum * moving + (1 - momentum) * batch, says Keras
    norm = norms[-1].train()
    norm(torch.full((2, 64, 3, 3), 10.0))
    assert norm.running_mean[0] == pytest.approx(0.8 * 0 + 0.2 * 10)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_halo_is_the_receptive_radius(scale: int):
    net = KerasSRGAN(blocks=1, width=2, scale=scale).double().eval()
    for parameter in net.parameters():
        nn.init.constant_(parameter, 1e-3)  # all positive: no path cancels another
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    centre, side = net.halo + 2, 2 * net.halo + 5
    lr = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    block = slice(centre * scale, (centre + 1) * scale)
    (gradient,) = torch.autograd.grad(net(lr)[..., block, block].sum(), lr)
    for reached in (gradient.abs().sum((0, 1, 3)), gradient.abs().sum((0, 1, 2))):
        places = reached.nonzero().flatten()
        assert (places[0], places[-1]) == (centre - net.halo, centre + net.halo)


def test_the_thesiss_halo_is_40():
    assert KerasSRGAN().halo == 40


def test_weights_start_as_kerass():
    torch.manual_seed(0)
    net = KerasSRGAN(blocks=1)
    limit = (6 / (9 * (64 + 256))) ** 0.5  # Glorot & Bengio 2010, equation 16
    first = net.upsample[0].weight
    assert 0.99 * limit < first.abs().max() <= limit
    assert all(
        not p.any() for n, p in net.named_parameters() if n in ("head.0.bias", "head.1.weight")
    )


@pytest.mark.parametrize(
    ("registry", "arguments", "message"),
    [
        (GENERATORS, {"last_momentum": 1.0}, r"momentum: Keras's lies in \[0, 1\) \(got 1.0\)"),
        (GENERATORS, {"width": 0}, r"generator.width: must be 1 or more \(got 0\)"),
        (DISCRIMINATORS, {"crop_size": 16}, r"crop_size: must be 17 or more \(got 16\)"),
    ],
)
def test_a_wrong_option_is_the_users_error(registry, arguments, message):
    with pytest.raises(UserError, match=message):
        registry.build("keras_srgan", arguments)


def test_another_size_than_the_crop_is_the_users_error():
    net = KerasSRGANDiscriminator(crop_size=20, width=2, hidden=2)
    with pytest.raises(UserError, match="is 20, but the images are 24x20"):
        net(torch.rand(1, 3, 24, 20))

"""SRResNet, the generator of SRGAN."""

import math
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import interpolate

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator

Norm = Literal["batch", "none"]
Activation = Literal["prelu", "relu", "leaky_relu"]
ImageSkip = Literal["none", "bicubic"]
Upsampler = Literal["pixelshuffle", "pixelshuffle_direct", "nearest"]

BICUBIC_RADIUS = 2  # four taps along an axis, at most two of them on one side


@GENERATORS.register("srresnet")
class SRResNet(Generator):
    """SRResNet (Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution …", fig. 4).

    The defaults are the paper's: a 9×9 convolution; B = 16 residual blocks (3×3 convolution,
    BatchNorm, PReLU, 3×3 convolution, BatchNorm) and a long skip around them; a sub-pixel
    convolution for each factor of the scale; a 9×9 convolution to RGB. A PReLU has one slope, and
    convolutions in front of a BatchNorm have no bias, which BatchNorm would take away again.

    All layers start as PyTorch's do: a branch then adds a few per cent of its input's variance, so
    the trunk stays in bounds without BatchNorm too. (He's initialisation with scaled branches
    learnt more slowly in a short trial.)

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: how many residual blocks, B.
        width: channels of the trunk.
        norm: `batch`, or `none` for no normalisation at all.
        activation: `prelu`, `relu` or `leaky_relu` (slope 0.2).
        image_skip: `bicubic` makes the network add to the bicubic enlargement (a = −0.75); its
            last layer starts at zero, so an untrained network *is* bicubic.
        upsampler: `pixelshuffle` (the paper's), `nearest` (nearest neighbour, then a convolution),
            both in steps of the scale's prime factors, or `pixelshuffle_direct` (the last
            convolution works on LR and one pixel shuffle ends the network).
        outer_kernel: side of the first and the last kernel, odd.

    Raises:
        UserError: for an even `outer_kernel` or a number below 1.

    Example:
        >>> import torch
        >>> SRResNet(blocks=1, width=8)(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        blocks: int = 16,
        width: int = 64,
        norm: Norm = "batch",
        activation: Activation = "prelu",
        image_skip: ImageSkip = "none",
        upsampler: Upsampler = "pixelshuffle",
        outer_kernel: int = 9,
    ) -> None:
        super().__init__()
        sizes = {"scale": scale, "blocks": blocks, "width": width, "outer_kernel": outer_kernel}
        for option, value in sizes.items():
            if value < 1:
                raise UserError(f"generator.{option}: must be 1 or more (got {value})")
        if outer_kernel % 2 == 0:
            raise UserError(f"generator.outer_kernel: must be odd (got {outer_kernel})")
        self.scale = scale
        self.blocks = blocks
        self.outer_kernel = outer_kernel
        self.image_skip = image_skip
        self.upsampler = upsampler
        self.head = nn.Sequential(_conv(3, width, outer_kernel), _activation(activation))
        self.body = nn.Sequential(
            *(ResidualBlock(width, norm=norm, activation=activation) for _ in range(blocks)),
            *_normed_conv(width, norm),
        )
        if upsampler == "pixelshuffle_direct":
            self.upsample = nn.Sequential()
            last = _conv(width, 3 * scale**2, outer_kernel)
            self.tail = nn.Sequential(last, nn.PixelShuffle(scale))
        else:
            step = _shuffle_step if upsampler == "pixelshuffle" else _nearest_step
            steps = [step(width, factor, activation) for factor in _prime_factors(scale)]
            self.upsample = nn.Sequential(*steps)
            last = _conv(width, 3, outer_kernel)
            self.tail = nn.Sequential(last)
        if image_skip == "bicubic":
            for parameter in last.parameters():
                nn.init.zeros_(parameter)

    @property
    def halo(self) -> int:  # noqa: D102 - inherited
        # From the last layer back to the first: a 3×3 or k×k convolution adds its radius, and
        # an enlargement by f divides by f, rounded up.
        radius = self.outer_kernel // 2
        if self.upsampler != "pixelshuffle_direct":
            for factor in reversed(_prime_factors(self.scale)):
                if self.upsampler == "pixelshuffle":
                    radius = math.ceil(radius / factor) + 1
                else:
                    radius = math.ceil((radius + 1) / factor)
        radius += 1 + 2 * self.blocks + self.outer_kernel // 2
        return max(radius, BICUBIC_RADIUS) if self.image_skip == "bicubic" else radius

    def forward(self, lr: Tensor) -> Tensor:  # noqa: D102 - inherited
        features = self.head(lr)
        features = features + self.body(features)
        sr: Tensor = self.tail(self.upsample(features))
        if self.image_skip == "bicubic":
            # In float32 under autocast too: the network is to correct bicubic, not its rounding.
            sr = sr + interpolate(lr.float(), size=sr.shape[-2:], mode="bicubic")
        return sr.to(lr.dtype)


class ResidualBlock(nn.Module):
    """x + N(C(A(N(C(x))))) with 3×3 convolutions C, normalisation N and activation A."""

    def __init__(self, width: int, *, norm: Norm, activation: Activation) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_normed_conv(width, norm), _activation(activation), *_normed_conv(width, norm)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        correction: Tensor = self.branch(features)
        return features + correction


def _conv(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def _normed_conv(width: int, norm: Norm) -> list[nn.Module]:
    if norm == "batch":
        return [_conv(width, width, bias=False), nn.BatchNorm2d(width)]
    return [_conv(width, width)]


def _activation(name: Activation) -> nn.Module:
    match name:
        case "prelu":
            return nn.PReLU()
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(0.2)


def _shuffle_step(width: int, factor: int, activation: Activation) -> nn.Module:
    convolution = _conv(width, width * factor**2)
    return nn.Sequential(convolution, nn.PixelShuffle(factor), _activation(activation))


def _nearest_step(width: int, factor: int, activation: Activation) -> nn.Module:
    enlarge = nn.Upsample(scale_factor=factor, mode="nearest")
    return nn.Sequential(enlarge, _conv(width, width), _activation(activation))


def _prime_factors(number: int) -> list[int]:
    """Factorise, smallest first.

    >>> _prime_factors(12)
    [2, 2, 3]
    """
    factors = []
    factor = 2
    while number > 1:
        if number % factor == 0:
            factors.append(factor)
            number //= factor
        else:
            factor += 1
    return factors

"""SRResNet, the generator of SRGAN."""

import math
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import interpolate
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.layers import check_sizes, conv, prime_factors, shuffle_halo

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
        check_sizes(sizes)
        if outer_kernel % 2 == 0:
            raise UserError(f"generator.outer_kernel: must be odd (got {outer_kernel})")
        self.scale = scale
        self.blocks = blocks
        self.outer_kernel = outer_kernel
        self.image_skip = image_skip
        self.upsampler = upsampler
        self.head = nn.Sequential(conv(3, width, outer_kernel), _activation(activation))
        self.body = nn.Sequential(
            *(ResidualBlock(width, norm=norm, activation=activation) for _ in range(blocks)),
            *_normed_conv(width, norm),
        )
        if upsampler == "pixelshuffle_direct":
            self.upsample = nn.Sequential()
            last = conv(width, 3 * scale**2, outer_kernel)
            self.tail = nn.Sequential(last, nn.PixelShuffle(scale))
        else:
            step = _shuffle_step if upsampler == "pixelshuffle" else _nearest_step
            steps = [step(width, factor, activation) for factor in prime_factors(scale)]
            self.upsample = nn.Sequential(*steps)
            last = conv(width, 3, outer_kernel)
            self.tail = nn.Sequential(last)
        if image_skip == "bicubic":
            for parameter in last.parameters():
                nn.init.zeros_(parameter)

    @property
    @override
    def halo(self) -> int:
        radius = self.outer_kernel // 2
        if self.upsampler == "pixelshuffle":
            radius = shuffle_halo(radius, self.scale)
        elif self.upsampler == "nearest":
            for factor in reversed(prime_factors(self.scale)):
                radius = math.ceil((radius + 1) / factor)
        radius += 1 + 2 * self.blocks + self.outer_kernel // 2
        return max(radius, BICUBIC_RADIUS) if self.image_skip == "bicubic" else radius

    @override
    def forward(self, lr: Tensor) -> Tensor:
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


def _normed_conv(width: int, norm: Norm) -> list[nn.Module]:
    if norm == "batch":
        return [conv(width, width, bias=False), nn.BatchNorm2d(width)]
    return [conv(width, width)]


def _activation(name: Activation) -> nn.Module:
    match name:
        case "prelu":
            return nn.PReLU()
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(0.2)


def _shuffle_step(width: int, factor: int, activation: Activation) -> nn.Module:
    convolution = conv(width, width * factor**2)
    return nn.Sequential(convolution, nn.PixelShuffle(factor), _activation(activation))


def _nearest_step(width: int, factor: int, activation: Activation) -> nn.Module:
    enlarge = nn.Upsample(scale_factor=factor, mode="nearest")
    return nn.Sequential(enlarge, conv(width, width), _activation(activation))

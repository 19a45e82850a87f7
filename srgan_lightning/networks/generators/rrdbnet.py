"""RRDBNet, the generator of ESRGAN and Real-ESRGAN."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_unshuffle

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.initial import start_small

RESIDUAL_SCALING = 0.2  # Wang et al. 2018, section 4.1


@GENERATORS.register("rrdbnet")
class RRDBNet(Generator):
    """RRDBNet (Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution GANs", fig. 3 and 4).

    A 3×3 convolution; `blocks` residual-in-residual dense blocks, a convolution and a long skip
    around them; for each doubling the nearest neighbour, then a convolution; two convolutions to
    RGB. The weights have BasicSR's names, so that programs for ESRGAN read a trained file.

    Args:
        scale: the factor between the sides of LR and SR; a power of 2.
        blocks: how many residual-in-residual dense blocks.
        width: channels of the trunk.
        growth: channels that each convolution of a dense block adds. Other programs take it to be
            32 without looking.
        unshuffle: fold squares of so many LR pixels into channels first; the trunk then works on
            a smaller picture. Real-ESRGAN's x2plus has 2 with scale 2.

    Raises:
        UserError: for a scale that is no power of 2, or a number below 1.

    Example:
        >>> sum(weight.numel() for weight in RRDBNet().parameters())
        16697987
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        blocks: int = 23,
        width: int = 64,
        growth: int = 32,
        unshuffle: Literal[1, 2, 4] = 1,
    ) -> None:
        super().__init__()
        for option, value in {"blocks": blocks, "width": width, "growth": growth}.items():
            if value < 1:
                raise UserError(f"generator.{option}: must be 1 or more (got {value})")
        if scale < 1 or scale & (scale - 1):
            raise UserError(f"scale: rrdbnet enlarges by powers of 2 (got {scale})")
        self.scale = scale
        self.blocks = blocks
        self.unshuffle = unshuffle
        self.doublings = (scale * unshuffle).bit_length() - 1
        self.conv_first = _conv(3 * unshuffle**2, width)
        self.body = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.conv_body = _conv(width, width)
        for number in range(1, self.doublings + 1):
            self.add_module(f"conv_up{number}", _conv(width, width))
        self.conv_hr = _conv(width, width)
        self.conv_last = _conv(width, 3)
        # In place: nothing needs what a convolution answered once it has passed the activation.
        self.activation = nn.LeakyReLU(0.2, inplace=True)

    @property
    def halo(self) -> int | None:
        """Radius of the receptive field in LR pixels.

        None with `unshuffle`: a tile would have to start on the same grid as the picture.
        """
        if self.unshuffle > 1:
            return None
        radius = 2
        for _ in range(self.doublings):
            radius = math.ceil((radius + 1) / 2)
        return radius + 1 + 15 * self.blocks + 1

    def forward(self, lr: Tensor) -> Tensor:  # noqa: D102 - inherited
        features = self.conv_first(self._fold(lr))
        features = features + self.conv_body(self.body(features))
        for number in range(1, self.doublings + 1):
            enlarged = interpolate(features, scale_factor=2, mode="nearest")
            features = self.activation(self.get_submodule(f"conv_up{number}")(enlarged))
        sr: Tensor = self.conv_last(self.activation(self.conv_hr(features)))
        height, width = lr.shape[-2:]
        return sr[..., : self.scale * height, : self.scale * width].to(lr.dtype)

    def _fold(self, lr: Tensor) -> Tensor:
        if self.unshuffle == 1:
            return lr
        height, width = lr.shape[-2:]
        missing = (0, -width % self.unshuffle, 0, -height % self.unshuffle)
        return pixel_unshuffle(pad(lr, missing, mode="replicate"), self.unshuffle)


class RRDB(nn.Module):
    """x + 0.2·D(D(D(x))) with three residual dense blocks D (Wang et al. 2018, fig. 4)."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = ResidualDenseBlock(width, growth)
        self.rdb2 = ResidualDenseBlock(width, growth)
        self.rdb3 = ResidualDenseBlock(width, growth)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        correction: Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return features + RESIDUAL_SCALING * correction


class ResidualDenseBlock(nn.Module):
    """x + 0.2·C(…): five convolutions, each of which sees x and the answers of all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _conv(width, growth)
        self.conv2 = _conv(width + growth, growth)
        self.conv3 = _conv(width + 2 * growth, growth)
        self.conv4 = _conv(width + 3 * growth, growth)
        self.conv5 = _conv(width + 4 * growth, width)
        self.activation = nn.LeakyReLU(0.2, inplace=True)
        start_small(self)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        known = features
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            known = torch.cat((known, self.activation(convolution(known))), dim=1)
        correction: Tensor = self.conv5(known)
        return features + RESIDUAL_SCALING * correction


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)

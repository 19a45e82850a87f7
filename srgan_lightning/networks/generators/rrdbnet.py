"""RRDBNet, the generator of ESRGAN and Real-ESRGAN."""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_unshuffle
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.initial import start_as, start_small
from srgan_lightning.networks.layers import check_sizes, conv

RESIDUAL_SCALING = 0.2  # Wang et al. 2018, section 4.1


@GENERATORS.register("rrdbnet")
class RRDBNet(Generator):
    """RRDBNet (Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution GANs", fig. 3 and 4).

    A 3×3 convolution; `blocks` residual-in-residual dense blocks, a convolution and a long skip
    around them; for each doubling the nearest neighbour, then a convolution; two convolutions to
    RGB. The weights have BasicSR's names, so that programs for ESRGAN read a trained file.

    The network has no skip from LR to SR, and to learn that much takes its first minutes. So the
    first three channels start as one: they carry RGB past the trunk and enlarge it bilinearly,
    and the other channels add a little. (In a trial on one busy CPU core `rrdbnet_small` thus
    passed bicubic on Set5 within 24 s; PyTorch's start was 2 dB below it after 60 s.)

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
        check_sizes({"blocks": blocks, "width": width, "growth": growth})
        if scale < 1 or scale & (scale - 1):
            raise UserError(f"scale: rrdbnet enlarges by powers of 2 (got {scale})")
        self.scale = scale
        self.blocks = blocks
        self.unshuffle = unshuffle
        self.doublings = (scale * unshuffle).bit_length() - 1
        self.conv_first = conv(3 * unshuffle**2, width)
        self.body = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.conv_body = conv(width, width)
        for number in range(1, self.doublings + 1):
            self.add_module(f"conv_up{number}", conv(width, width))
        self.conv_hr = conv(width, width)
        self.conv_last = conv(width, 3)
        # In place: nothing needs what a convolution answered once it has passed the activation.
        self.activation = nn.LeakyReLU(0.2, inplace=True)
        if width >= 3:
            self._start_bilinear()

    @property
    @override
    def halo(self) -> int:
        radius = 2
        for _ in range(self.doublings):
            radius = math.ceil((radius + 1) / 2)
        return self.unshuffle * (radius + 1 + 15 * self.blocks + 1) + self.unshuffle - 1

    @property
    @override
    def grid(self) -> int:
        return self.unshuffle

    @property
    @override
    def picture_layers(self) -> tuple[str, ...]:
        ups = (f"conv_up{number}" for number in range(1, self.doublings + 1))
        return (*ups, "conv_hr", "conv_last")

    @override
    def forward(self, lr: Tensor) -> Tensor:
        rows, columns = (-side % self.unshuffle for side in lr.shape[-2:])
        folded = lr
        if self.unshuffle > 1:
            padded = pad(lr, (0, columns, 0, rows), mode="replicate")
            folded = pixel_unshuffle(padded, self.unshuffle)
        features = self.conv_first(folded)
        features = features + self.conv_body(self.body(features))
        for convolution in self._enlarging():
            enlarged = interpolate(features, scale_factor=2, mode="nearest")
            features = self.activation(convolution(enlarged))
        sr: Tensor = self.conv_last(self.activation(self.conv_hr(features)))
        if self.unshuffle > 1:
            height, width = sr.shape[-2:]
            sr = sr[..., : height - self.scale * rows, : width - self.scale * columns]
        return sr.to(lr.dtype)

    @torch.no_grad()
    def _start_bilinear(self) -> None:
        centre = torch.zeros(3, 3)
        centre[1, 1] = 1
        tent = torch.tensor([0.25, 0.5, 0.25])  # of doubled pixels it makes bilinear ones
        rgb = torch.eye(3)[:, :, None, None]
        squares = self.unshuffle**2
        start_as(self.conv_first, rgb.repeat_interleave(squares, 1) * centre / squares)
        start_as(self.conv_body, 0 * rgb * centre)
        for convolution in self._enlarging():
            assert isinstance(convolution, nn.Conv2d)
            start_as(convolution, rgb * torch.outer(tent, tent))
        start_as(self.conv_hr, rgb * centre)
        start_small(self.conv_last, factor=0.01)
        self.conv_last.weight[:, :3] += rgb * centre

    def _enlarging(self) -> Iterator[nn.Module]:
        for number in range(1, self.doublings + 1):
            yield self.get_submodule(f"conv_up{number}")


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
        return torch.add(features, correction, alpha=RESIDUAL_SCALING)


class ResidualDenseBlock(nn.Module):
    """x + 0.2·C(…): five convolutions, each of which sees x and the answers of all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = conv(width, growth)
        self.conv2 = conv(width + growth, growth)
        self.conv3 = conv(width + 2 * growth, growth)
        self.conv4 = conv(width + 3 * growth, growth)
        self.conv5 = conv(width + 4 * growth, width)
        self.activation = nn.LeakyReLU(0.2, inplace=True)
        start_small(self)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        known = features
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            known = torch.cat((known, self.activation(convolution(known))), dim=1)
        correction: Tensor = self.conv5(known)
        return torch.add(features, correction, alpha=RESIDUAL_SCALING)

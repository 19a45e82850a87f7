"""Compact, the small generator of Real-ESRGAN."""

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.initial import start_near_identity
from srgan_lightning.networks.layers import check_sizes, conv


@GENERATORS.register("compact")
class Compact(Generator):
    """SRVGGNetCompact (Real-ESRGAN's small models; Wang et al. 2021, its code).

    Convolutions and PReLUs in a row, all on LR, one sub-pixel convolution at the end, added to
    the nearest neighbour. A PReLU has a slope for each channel. The weights have BasicSR's names,
    so that programs for Real-ESRGAN read a trained file.

    There is no skip around the convolutions; see `start_near_identity`.

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: how many convolutions with PReLU between the first and the last: 16 in
            realesr-animevideov3, 32 in realesr-general-x4v3.
        width: channels.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> sum(weight.numel() for weight in Compact(blocks=32).parameters())
        1213296
    """

    def __init__(self, *, scale: int = 4, blocks: int = 16, width: int = 64) -> None:
        super().__init__()
        check_sizes({"scale": scale, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        layers: list[nn.Module] = [conv(3, width), nn.PReLU(width)]
        for _ in range(blocks):
            layers += [conv(width, width), nn.PReLU(width)]
        layers.append(conv(width, 3 * scale**2))
        self.body = nn.Sequential(*layers)
        start_near_identity(self.body)

    @property
    @override
    def halo(self) -> int:
        return self.blocks + 2

    @override
    def forward(self, lr: Tensor) -> Tensor:
        correction = pixel_shuffle(self.body(lr), self.scale)
        return correction + interpolate(lr, scale_factor=self.scale, mode="nearest")

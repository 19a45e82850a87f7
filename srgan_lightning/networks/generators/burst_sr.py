"""BurstSR, a small network that fuses the frames of a burst."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, pixel_shuffle, pixel_unshuffle
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, BurstGenerator
from srgan_lightning.networks.generators.srresnet import ResidualBlock
from srgan_lightning.networks.initial import start_small
from srgan_lightning.networks.layers import check_sizes, conv

_DOUBT = 0.05  # frames; how much the reference's bicubic enlargement counts
_ROUNDS = 2  # of back-projection
_REACH = 2 + 2 * (_ROUNDS + 1) + 1  # LR pixels around a place that its fused features know of
_SEEN = 8  # channels: RGB, its difference to the reference, the place within an HR pixel


@GENERATORS.register("burst_sr")
class BurstSR(BurstGenerator):
    """Align, encode, weigh, fuse, reconstruct (after Bhat et al. 2021, "Deep Burst …", DBSR).

    Two convolutions turn each frame, its difference to the reference where it looks, and the place
    of each pixel within an HR pixel into features and a trust w in (0, 1). Pixels drop on the four
    HR pixels around the place p that they look at, with bilinear weights k:

        e(q) = Σ k(q − p) w e / Σ k(q − p) w,

    an attention over all pixels of all frames, whatever their number and order. The differences
    are fused alike and added to the reference's bicubic enlargement; twice the frames are compared
    with what pixels would see of the result, and what they differ by is fused and added (Irani &
    Peleg 1991). That is the base. A residual network on LR's grid, to which HR's is folded,
    corrects it; it starts as no correction.

    Args:
        scale: the factor between the sides of LR and SR.
        features: channels that are fused.
        blocks: residual blocks of the reconstruction.
        width: their channels.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> burst = torch.rand(2, 6, 6, 8, 9)  # two bursts of six frames
        >>> BurstSR(blocks=1, width=8)(burst).shape
        torch.Size([2, 3, 32, 36])
    """

    def __init__(
        self, *, scale: int = 4, features: int = 12, blocks: int = 5, width: int = 64
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "features": features, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        self.encode = nn.Sequential(
            conv(_SEEN, 2 * features), nn.PReLU(), conv(2 * features, features + 1)
        )
        self.head = conv((features + 4) * scale**2, width)
        self.body = nn.Sequential(
            *(ResidualBlock(width, norm="none", activation="prelu") for _ in range(blocks))
        )
        self.tail = conv(width, 3 * scale**2)
        start_small(self.body)
        for parameter in self.tail.parameters():
            nn.init.zeros_(parameter)

    @property
    @override
    def halo(self) -> int:
        return 2 * self.blocks + 2 + _REACH

    @override
    def fuse(self, burst: Tensor) -> Tensor:
        batch, count, _, height, width = burst.shape
        size = (height * self.scale, width * self.scale)
        frames, place = burst[:, :, :3].float(), hr_places(burst.float(), scale=self.scale)
        reference = interpolate(frames[:, 0], size=size, mode="bicubic")
        difference = frames - _read(reference, place)
        seen = torch.cat([frames, difference, place - place.round()], dim=2)
        encoded = self.encode(seen.flatten(0, 1)).float().view(batch, count, -1, height, width)
        trust = encoded[:, :, -1:].sigmoid()

        def mean(values: Tensor) -> Tensor:
            return _dropped(values * trust, place, size) / (weight + _DOUBT)

        weight = _dropped(trust, place, size)
        features = mean(encoded[:, :, :-1])
        base = reference + mean(difference)
        for _ in range(_ROUNDS):
            pixels = avg_pool2d(base, self.scale, stride=1)
            base = base + mean(frames - _read(pixels, place - (self.scale - 1) / 2))
        told = torch.cat([base, features, weight.log1p()], dim=1)
        folded = self.head(pixel_unshuffle(told, self.scale))
        folded = folded + self.body(folded)
        sr: Tensor = base + pixel_shuffle(self.tail(folded), self.scale)
        return sr.to(burst.dtype)


def hr_places(burst: Tensor, *, scale: int) -> Tensor:
    """Return where pixels look on the HR grid, (x, y): `[B, N, 2, h, w]`."""
    y, x = (torch.arange(side, device=burst.device) for side in burst.shape[-2:])
    here = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    return (here + burst[:, :, 3:5] + 0.5) * scale - 0.5


def _read(pictures: Tensor, place: Tensor) -> Tensor:
    """Read pictures `[B, C, H, W]` bilinearly at places `[B, N, 2, h, w]`: `[B, N, C, h, w]`."""
    count, _, height, width = place.shape[1:]
    size = place.new_tensor(pictures.shape[:-3:-1])
    where = (2 * place.permute(0, 1, 3, 4, 2) + 1) / size - 1
    values = grid_sample(pictures, where.flatten(1, 2), padding_mode="border", align_corners=False)
    return values.view(*values.shape[:2], count, height, width).transpose(1, 2)


def _dropped(values: Tensor, place: Tensor, size: tuple[int, int]) -> Tensor:
    """Add values `[B, N, C, h, w]` up on the HR pixels around their places: `[B, C, H, W]`."""
    batch, _, channels = values.shape[:3]
    height, width = size
    values = values.transpose(1, 2).flatten(2)
    x, y = place.transpose(1, 2).flatten(2).unbind(1)
    left, top = x.floor(), y.floor()
    result = values.new_zeros(batch, channels, height * width)
    for down in (0, 1):
        for across in (0, 1):
            column, row = left + across, top + down
            share = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
            index = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            result = result.scatter_add(
                2, index[:, None].expand_as(values), values * (share * inside)[:, None]
            )
    return result.view(batch, channels, height, width)

"""BurstMAP, the most probable picture of a burst, corrected by a network."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from typing_extensions import override

from srgan_lightning.multiframe.fusion.observation import Observation
from srgan_lightning.multiframe.fusion.posterior import most_probable
from srgan_lightning.multiframe.ranking import quantization_noise
from srgan_lightning.networks.base import GENERATORS, BurstGenerator
from srgan_lightning.networks.generators.burst_sr import hr_places
from srgan_lightning.networks.initial import start_near_identity
from srgan_lightning.networks.layers import check_sizes, conv

_FOLD = 2  # HR pixels, folded into channels
_MARGIN = 4  # LR pixels around the burst, which the frames may look at
_REACH = 8  # LR pixels, beyond which the most probable picture hardly depends on a frame's pixel
_UNSURE = 0.05  # standard deviation that is as good as unknown


@GENERATORS.register("burst_map")
class BurstMAP(BurstGenerator):
    """The picture that `most_probable` (Farsiu et al. 2004) finds, and what a network adds to it.

    The prior there, bilateral total variation, knows that neighbours are alike; how photographs
    look, it does not know. A chain of convolutions and PReLUs sees the picture and how unsure it
    is, on HR's grid folded 2×2, and answers a correction; it starts as none. Nothing is learned of
    the frames themselves: number, motion, noise and blur are the equations' affair.

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: convolutions with PReLU between the first and the last.
        width: their channels.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> burst = torch.rand(2, 6, 6, 8, 9)  # two bursts of six frames
        >>> BurstMAP(blocks=1, width=8)(burst).shape
        torch.Size([2, 3, 32, 36])
    """

    deblurs = True

    def __init__(self, *, scale: int = 4, blocks: int = 8, width: int = 48) -> None:
        super().__init__()
        check_sizes({"scale": scale, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        layers: list[nn.Module] = [conv(4 * _FOLD**2, width), nn.PReLU(width)]
        for _ in range(blocks):
            layers += [conv(width, width), nn.PReLU(width)]
        last = conv(width, 3 * _FOLD**2)
        self.body = nn.Sequential(*layers, last)
        start_near_identity(self.body)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    @property
    @override
    def halo(self) -> int:
        return _REACH + math.ceil(_FOLD * (self.blocks + 2) / self.scale)

    @override
    def fuse(self, burst: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(burst.device.type, enabled=False):
            known = torch.stack([self._estimate(each.float()) for each in burst])
        height, width = known.shape[-2:]
        odd = (0, width % _FOLD, 0, height % _FOLD)
        folded = pixel_unshuffle(nn.functional.pad(known, odd, mode="replicate"), _FOLD)
        correction = pixel_shuffle(self.body(folded), _FOLD)
        sr: Tensor = known[:, :3] + correction[..., :height, :width]
        return sr.to(burst.dtype)

    def _estimate(self, burst: Tensor) -> Tensor:
        """Return the most probable picture of frames `[N, 6, h, w]`, and how unsure it is."""
        scale, frames, sigma = self.scale, burst[:, :3], float(burst[:, 5].mean())
        margin = scale * (_MARGIN + math.ceil(3 * sigma))
        height, width = (scale * side for side in frames.shape[-2:])
        places = hr_places(burst.double()[None], scale=scale)[0] + margin
        observation = Observation(
            places.permute(0, 2, 3, 1).reshape(-1, 2),
            size=(height + 2 * margin, width + 2 * margin),
            scale=scale,
            sigma=sigma,
        )
        seen = frames.permute(0, 2, 3, 1).reshape(-1, 3)[observation.inside]
        rounding = quantization_noise(frames[0])
        found = most_probable(observation, seen, scale=scale, rounding=rounding)
        unsure = (found.uncertainty.mean(0, keepdim=True) / _UNSURE).clamp(max=1)
        return torch.cat([found.picture, unsure])[
            :, margin : margin + height, margin : margin + width
        ]

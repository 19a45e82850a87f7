"""BurstMAP, the most probable picture of a burst, corrected by a network."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.fusion.observation import Observation
from srgan_lightning.multiframe.fusion.posterior import most_probable
from srgan_lightning.multiframe.ranking import quantization_noise
from srgan_lightning.networks.base import GENERATORS, BurstGenerator
from srgan_lightning.networks.generators.burst_sr import hr_places
from srgan_lightning.networks.generators.srresnet import ResidualBlock
from srgan_lightning.networks.initial import start_small
from srgan_lightning.networks.layers import check_sizes, conv

_FOLD = 2  # HR pixels, folded into channels
_MARGIN = 4  # LR pixels around the burst, which the frames may look at
_REACH = 8  # LR pixels, beyond which the most probable picture hardly depends on a frame's pixel
_UNSURE = 0.05  # standard deviation that is as good as unknown


@GENERATORS.register("burst_map")
class BurstMAP(BurstGenerator):
    """The picture that `most_probable` (Farsiu et al. 2004) finds, and what a network adds to it.

    The prior there, bilateral total variation, knows that neighbours are alike; how photographs
    look, it does not know. The network sees the picture and how unsure it is, on HR's grid folded
    2×2, and answers a correction; it starts as none. Nothing is learned of the frames themselves:
    number, motion, noise and blur are the equations' affair.

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: residual blocks.
        width: their channels.
        sigma: of the frames' point-spread function, in LR pixels.

    Raises:
        UserError: for a number below 1, or a sigma below 0.

    Example:
        >>> burst = torch.rand(2, 6, 5, 8, 9)  # two bursts of six frames
        >>> BurstMAP(blocks=1, width=8)(burst).shape
        torch.Size([2, 3, 32, 36])
    """

    def __init__(
        self, *, scale: int = 4, blocks: int = 4, width: int = 48, sigma: float = 0.5
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        if sigma < 0:
            raise UserError(f"generator.sigma: must be 0 or more (got {sigma:g})")
        self.sigma: float = sigma
        self.head = conv(4 * _FOLD**2, width)
        self.body = nn.Sequential(
            *(ResidualBlock(width, norm="none", activation="prelu") for _ in range(blocks))
        )
        self.tail = conv(width, 3 * _FOLD**2)
        start_small(self.body)
        for parameter in self.tail.parameters():
            nn.init.zeros_(parameter)

    @property
    @override
    def halo(self) -> int:
        return _REACH + math.ceil(_FOLD * (2 * self.blocks + 2) / self.scale)

    @override
    def fuse(self, burst: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(burst.device.type, enabled=False):
            known = torch.stack([self._estimate(each.float()) for each in burst])
        height, width = known.shape[-2:]
        odd = (0, width % _FOLD, 0, height % _FOLD)
        folded = self.head(pixel_unshuffle(nn.functional.pad(known, odd, mode="replicate"), _FOLD))
        correction = pixel_shuffle(self.tail(folded + self.body(folded)), _FOLD)
        sr: Tensor = known[:, :3] + correction[..., :height, :width]
        return sr.to(burst.dtype)

    def _estimate(self, burst: Tensor) -> Tensor:
        """Return the most probable picture of frames `[N, 5, h, w]`, and how unsure it is."""
        scale, frames = self.scale, burst[:, :3]
        margin = scale * (_MARGIN + math.ceil(3 * self.sigma))
        height, width = (scale * side for side in frames.shape[-2:])
        places = hr_places(burst.double()[None], scale=scale)[0] + margin
        observation = Observation(
            places.permute(0, 2, 3, 1).reshape(-1, 2),
            size=(height + 2 * margin, width + 2 * margin),
            scale=scale,
            sigma=self.sigma,
        )
        seen = frames.permute(0, 2, 3, 1).reshape(-1, 3)[observation.inside]
        rounding = quantization_noise(frames[0])
        found = most_probable(observation, seen, scale=scale, rounding=rounding)
        unsure = (found.uncertainty.mean(0, keepdim=True) / _UNSURE).clamp(max=1)
        return torch.cat([found.picture, unsure])[
            :, margin : margin + height, margin : margin + width
        ]

"""Frames made ready to be compared: grey, without holes, smooth, at several sizes."""

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.blur import gaussian_radius

_SMALLEST = 24  # pixels of the shorter side of a pyramid's top
_KNOWN = 0.5  # of the light around a pixel, for it to count


@dataclasses.dataclass(frozen=True)
class Level:
    """Frames at one size, blurred so that neither aliases nor single pixels lead astray.

    Attributes:
        values: `[N, H, W]`, without NaN.
        weight: 0 where a value rests on holes, else 1, `[N, H, W]`.
    """

    values: Tensor
    weight: Tensor


def grey(frames: Tensor) -> Tensor:
    """Return the mean of the channels of `[N, C, H, W]`, NaN where one is NaN or infinite."""
    mean = frames.mean(1)
    return torch.where(mean.isfinite(), mean, torch.nan)


def filled(frames: Tensor) -> Tensor:
    """Replace NaN in `[N, H, W]` by the mean of its frame, or 0 where all of it is NaN."""
    known = frames.isfinite()
    mean = torch.where(known, frames, 0).sum((1, 2)) / known.sum((1, 2)).clamp(min=1)
    return torch.where(known, frames, mean[:, None, None])


def windowed(frames: Tensor) -> Tensor:
    """Fade frames out towards their borders (Hann), which a Fourier transform takes for edges."""
    frames = filled(frames)
    frames = frames - frames.mean((1, 2), keepdim=True)
    down, across = (
        torch.hann_window(side + 2, periodic=False, device=frames.device)[1:-1]
        for side in frames.shape[-2:]
    )
    return frames * down[:, None] * across


def pyramid(frames: Tensor, *, sigma: float) -> list[Level]:
    """Blur frames and halve them until they are small, the finest level first.

    The pixel (x, y) of a level is the pixel (2x, 2y) of the level before.

    Args:
        frames: `[N, H, W]`; NaN counts for nothing.
        sigma: of the Gaussian, in pixels of each level.
    """
    levels = [_blurred(filled(frames), frames.isfinite().to(frames.dtype), sigma)]
    while min(levels[-1].values.shape[-2:]) >= 2 * _SMALLEST:
        below = levels[-1]
        # What is blurred already needs but little more to be halved.
        smooth = _blurred(below.values, below.weight, sigma)
        levels.append(Level(smooth.values[:, ::2, ::2], smooth.weight[:, ::2, ::2]))
    return levels


def _blurred(values: Tensor, weight: Tensor, sigma: float) -> Level:
    if weight.all():
        return Level(blur(values, sigma), weight)
    around = blur(weight, sigma)
    smooth = blur(values * weight, sigma) / around.clamp(min=1e-6)
    known = (around > _KNOWN) & (weight > 0)
    return Level(smooth * (around > _KNOWN), known.to(values.dtype))


def blur(images: Tensor, sigma: float) -> Tensor:
    """Blur `[N, H, W]` with a Gaussian; the edge pixel is repeated beyond the border.

    Sums of moved pictures: with one channel that is several times as fast as a convolution.
    """
    radius = gaussian_radius(sigma)
    kernel = [math.exp(-(offset**2) / (2 * sigma**2)) for offset in range(-radius, radius + 1)]
    total = sum(kernel)
    blurred = F.pad(images[:, None], (radius, radius, radius, radius), mode="replicate")[:, 0]
    for axis in (1, 2):
        length = blurred.shape[axis] - 2 * radius
        summed = torch.zeros_like(blurred.narrow(axis, 0, length))
        for place, weight in enumerate(kernel):
            summed.add_(blurred.narrow(axis, place, length), alpha=weight / total)
        blurred = summed
    return blurred

"""Lucky imaging: which frames are sharp and bright enough to be worth their noise."""

import dataclasses
import math

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.prepare import blur, filled, grey

_SCALE = 1.0  # pixels: σ of the Gaussian below which detail is taken for noise
_MAD = 1.4826  # standard deviations of a Gaussian in its median absolute deviation


@dataclasses.dataclass(frozen=True)
class Quality:
    """What a frame is worth.

    Attributes:
        sharpness: mean square of the gradient of the frame, smoothed by a pixel and freed of what
            its noise contributes, over the frame's variance; in pixels⁻².
        signal: standard deviation of the smoothed frame over that of the noise.
    """

    sharpness: float
    signal: float

    @property
    def score(self) -> float:
        """Sharpness, held back where the noise comes near the signal."""
        return self.sharpness * self.signal**2 / (1 + self.signal**2)


def quality(frame: Tensor) -> Quality:
    """Judge a frame `[C, H, W]`; NaN pixels count as the mean of the others."""
    image = filled(grey(frame[None]))
    smooth = blur(image, _SCALE)
    noise = noise_level(image[0])
    across = smooth[:, 1:-1, 2:] - smooth[:, 1:-1, :-2]
    down = smooth[:, 2:, 1:-1] - smooth[:, :-2, 1:-1]
    square = float((across**2).mean() + (down**2).mean()) / 4
    # Noise smoothed by σ has the covariance exp(−d² / 4σ²) / 4πσ² over a distance d.
    square -= noise**2 * (1 - math.exp(-1 / _SCALE**2)) / (4 * math.pi * _SCALE**2)
    variance = float(smooth.var())
    if variance <= 0:
        return Quality(0.0, 0.0)
    return Quality(max(0.0, square) / variance, math.sqrt(variance) / max(noise, 1e-9))


def noise_level(image: Tensor) -> float:
    """Estimate the noise's standard deviation (Immerkær 1996, by the median instead of the mean).

    The image is filtered with the difference of two Laplacians, [1 −2 1; −2 4 −2; 1 −2 1], to
    which edges and slopes are nothing and white noise of variance 1 has variance 36.

    Args:
        image: `[H, W]`.
    """
    twice = image[2:] - 2 * image[1:-1] + image[:-2]
    twice = twice[:, 2:] - 2 * twice[:, 1:-1] + twice[:, :-2]
    return _MAD * float(twice.abs().median()) / 6


def quantization_noise(frame: Tensor) -> float:
    """Return the standard deviation of what rounding to a camera's levels takes off a frame.

    It is a √12th of a level, the smallest difference of two values. Levels are taken to be no
    wider than those of 8 bits: a frame of few values, as black sky is, need not show them.

    >>> levels = torch.arange(256) / 255
    >>> [round(255 * quantization_noise(some[None, None]), 3) for some in (levels, levels[::5])]
    [0.289, 0.289]
    """
    steps = torch.unique(frame[0][frame[0].isfinite()]).diff()
    return float(steps.min().clamp(max=1 / 255) if len(steps) else 1 / 255) / math.sqrt(12)


def best_frames(frames: Frames, *, keep: float) -> tuple[list[int], list[Quality]]:
    """Choose the frames with the best scores.

    Args:
        frames: the burst, read once.
        keep: the share to keep, above 0 and at most 1; two frames are kept at least.

    Returns:
        The numbers of the chosen, best first, and the quality of every frame.

    Raises:
        UserError: for another share.
    """
    if not 0 < keep <= 1:
        raise UserError(f"--keep: must be above 0 % and at most 100 %; got {100 * keep:g} %")
    qualities = [quality(frame) for frame in frames]
    order = sorted(range(len(qualities)), key=lambda n: -qualities[n].score)
    return order[: max(2, math.ceil(keep * len(order)))], qualities


def share_of(text: str) -> float:
    """Read a share of frames.

    Raises:
        UserError: for what is none.

    Example:
        >>> share_of("30%")
        0.3
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UserError(f"--keep: {text!r} is no share; say it as 30%")
    return share

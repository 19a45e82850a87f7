"""How much brighter each frame is than the reference: clouds, exposure, the sky's glow."""

import dataclasses
import math
import warnings

import numpy as np
import torch
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.prepare import blur, grey
from srgan_lightning.multiframe.reference import least_moved
from srgan_lightning.multiframe.stars import Stars, find_stars, star_light

_SIGMA = 1.0  # pixels: frames are blurred by so much before they are compared
_CLIPPED = 0.995  # of white and more tell nothing
_POINTS = 2**16  # of a frame say enough
_LEAST = 0.5  # of what lies around a pixel must be known
_MIXED = 1e-3  # of clipped white is no harm
_ROUNDS = 10
_HUBER = 2.0  # standard deviations
_SURE = 3.0  # standard errors: smaller differences are left as they are
_STARS = 3  # at least


@dataclasses.dataclass(frozen=True)
class Brightness:
    """Values of frame n are gainₙ times those of the reference, plus offsetₙ.

    Attributes:
        gains: one for each frame; 1 where none can be told from 1.
        offsets: in units of the frames.
    """

    gains: tuple[float, ...]
    offsets: tuple[float, ...]

    @property
    def told(self) -> str:
        """What was found, in words."""
        if all(gain == 1 for gain in self.gains) and not any(self.offsets):
            return "the same in all frames"
        words = f"evened out, gains {min(self.gains):.4g} to {max(self.gains):.4g}"
        return words + (" and offsets" if any(self.offsets) else "")


def measure_brightness(frames: Frames, motion: Motion) -> Brightness:
    """Compare the brightness of registered frames with that of the frame that is moved least.

    Measured frames (FITS) have a gain and an offset. The gain is the median ratio of the light of
    single stars, which does not depend on how sharp they are; the offset is the median of what is
    left. Where there are too few stars, and for pictures, which have no offset, the gain is that of
    an orthogonal regression (Deming 1943) of blurred frames, with Huber's weights.

    Args:
        frames: those to be fused.
        motion: of these frames.
    """
    measured = frames.header is not None
    number, reference = least_moved(frames, motion)
    stars = find_stars(grey(reference[None])[0].double().numpy()) if measured else None
    stride = math.ceil(math.sqrt(math.prod(frames.size) / _POINTS))
    grid = pixel_grid(*frames.size)[::stride, ::stride]
    there, meant = _smooth(reference, measured=measured)[:, ::stride, ::stride]
    alike = max(1.0, 4 * math.pi * _SIGMA**2 / stride**2)  # pixels that blur made depend on another
    found = []
    for n, frame in enumerate(frames):
        if n == number:
            found.append((1.0, 0.0))
            continue
        gain = error = 0.0
        if stars is not None and len(stars.xy) >= _STARS:
            gain, error = _of_stars(stars, reference, frame, motion, n)
        here, weight = _read(_smooth(frame, measured=measured), motion, n, grid)
        known = (weight > 1 - 1e-3) & (meant > 0)
        pair = there[known].double(), here[known].double()
        if not gain and not len(pair[0]):
            name = frames.names[n]
            warnings.warn(f"{name}: is fused as bright as it is: too much is clipped", stacklevel=2)
            gain = 1.0
        if not gain:
            gain, error = _of_pixels(*pair, alike=alike, measured=measured)
        if abs(gain - 1) <= _SURE * error:
            gain = 1.0
        found.append((gain, _offset(*pair, gain, alike=alike) if measured else 0.0))
    gains, offsets = zip(*found, strict=True)
    return Brightness(gains, offsets)


def _smooth(frame: Tensor, *, measured: bool) -> Tensor:
    """Return a frame, grey and blurred, and 1 where it is known, `[2, H, W]`.

    In pictures nothing that blur has mixed with clipped white is known: where the frame is darker,
    more of it would not be clipped.
    """
    plane = grey(frame[None])[0]
    known = plane.isfinite()
    planes = [torch.where(known, plane, 0), known.float()]
    if not measured:
        planes.append((frame.amax(0) >= _CLIPPED).float())
    values, weight, *clipped = blur(torch.stack(planes), _SIGMA)
    known &= weight > _LEAST
    for share in clipped:
        known &= share < _MIXED
    return torch.stack([values / weight.clamp(min=1e-6), known.float()])


def _read(planes: Tensor, motion: Motion, n: int, grid: Tensor) -> Tensor:
    """Read planes of frame n where the reference has its pixels; 0 beyond the frame."""
    height, width = planes.shape[-2:]
    places = motion.points(n, grid)
    x, y = places.unbind(-1)
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return sample_cubic(planes[None], places[None])[0] * inside


def _of_stars(
    stars: Stars, reference: Tensor, frame: Tensor, motion: Motion, n: int
) -> tuple[float, float]:
    """Return the gain by the light of stars, and its standard error; 0 with too few stars."""
    there = motion.points(n, torch.from_numpy(stars.xy)).numpy()
    before = star_light(grey(reference[None])[0].double().numpy(), stars.xy, stars.radius)
    after = star_light(grey(frame[None])[0].double().numpy(), there, stars.radius)
    ratios = (after / before)[np.isfinite(after) & (before > 0)]
    if len(ratios) < _STARS:
        return 0.0, 0.0
    median = float(np.median(ratios))
    spread = 1.4826 * float(np.median(np.abs(ratios - median)))
    return max(median, 0.0), 1.25 * spread / len(ratios) ** 0.5


def _of_pixels(
    reference: Tensor, frame: Tensor, *, alike: float, measured: bool
) -> tuple[float, float]:
    """Return the gain by regression, and its standard error."""
    weight = torch.ones_like(reference)
    for _ in range(_ROUNDS):
        x, y = reference, frame
        if measured:
            x, y = (each - (weight * each).sum() / weight.sum() for each in (x, y))
        xx, xy, yy = ((weight * product).sum() for product in (x * x, x * y, y * y))
        if xy <= 0:
            return 1.0, 0.0
        gain = (yy - xx + torch.hypot(yy - xx, 2 * xy)) / (2 * xy)
        off = (y - gain * x).abs()
        bound = _HUBER * 1.4826 * off.median() + 1e-12
        weight = (bound / off.clamp(min=1e-12)).clamp(max=1)
    error = ((weight * off**2).sum() / weight.sum() * alike / xx).sqrt()
    return float(gain), float(error)


def _offset(reference: Tensor, frame: Tensor, gain: float, *, alike: float) -> float:
    left = frame - gain * reference
    if not len(left):
        return 0.0
    offset = left.median()
    error = 1.4826 * (left - offset).abs().median() * (alike / len(left)) ** 0.5
    return float(offset) if offset.abs() > _SURE * error else 0.0

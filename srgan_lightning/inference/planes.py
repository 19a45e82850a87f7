"""Planes of measured values, whose range no format fixes and whose pixels may be missing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from srgan_lightning.inference.upscaler import Upscaler

PERCENTILES = 0.1, 99.9  # what is dark and what is bright; stars and dead pixels lie beyond


def enlarge_plane(
    plane: NDArray[Any], upscaler: Upscaler, *, on_tile: Callable[[int], None] | None = None
) -> NDArray[np.float64]:
    """Enlarge one plane of values as a grey picture.

    The 0.1st and the 99.9th percentile are stretched to 0 and 1, and what the generator makes is
    stretched back. Nothing is clipped: values beyond pass through as values below 0 and above 1.
    Pixels that are not finite are filled from their neighbours before, and put back as blocks
    after, so that they are where they were and spoil nothing around them.

    Args:
        plane: `[H, W]` of any number type.
        upscaler: computes in float32 here.
        on_tile: as `Upscaler.enlarge` takes it.

    Returns:
        `[scale·H, scale·W]`.
    """
    values = plane.astype(np.float64)
    finite = np.isfinite(values)
    enlarged = values.repeat(upscaler.scale, axis=0).repeat(upscaler.scale, axis=1)
    if not finite.any():
        return enlarged
    low, high = value_range(values[finite])
    unit = fill((np.where(finite, values, low) - low) / (high - low), finite)
    grey = np.repeat(unit.astype(np.float32)[..., None], 3, axis=2)
    sr = upscaler.enlarge(grey, on_tile=on_tile).mean(axis=2, dtype=np.float64)
    return np.where(np.isfinite(enlarged), sr * (high - low) + low, enlarged)


def value_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return what is to become 0 and 1: two percentiles, or where they are equal the extremes.

    >>> value_range(np.full(9, 7.0))
    (7.0, 8.0)
    """
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


def fill(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fill the unknown with the mean of what is known around, in windows that grow until all is.

    >>> fill(np.array([[1.0, 0.0, 3.0]]), np.array([[True, False, True]])).tolist()
    [[1.0, 2.0, 3.0]]
    """
    total = torch.from_numpy(np.where(known, values, 0.0))[None, None]
    weight = torch.from_numpy(known.astype(np.float64))[None, None]
    filled, there, radius = total.clone(), weight > 0, 1
    while not bool(there.all()):
        around = _window_mean(weight, radius)
        reached = ~there & (around > 0)
        filled = torch.where(reached, _window_mean(total, radius) / around, filled)
        there, radius = there | reached, 2 * radius
    result: NDArray[np.float64] = filled[0, 0].numpy()
    return result


def _window_mean(image: Tensor, radius: int) -> Tensor:
    side = 2 * radius + 1
    return avg_pool2d(image, side, stride=1, padding=radius)

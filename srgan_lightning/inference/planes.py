"""Planes of measured values, whose range no format fixes and whose pixels may be missing."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.inference.resample import Size
from srgan_lightning.inference.upscaler import OnTile, Upscaler

PERCENTILES = 0.1, 99.9  # what is dark and what is bright; stars and dead pixels lie beyond


class Plane:
    """One plane of values, made into a picture for the network and back.

    The 0.1st and the 99.9th percentile are stretched to 0 and 1, and what the generator makes is
    stretched back. Nothing is clipped: values beyond pass through as values below 0 and above 1.
    Pixels that are not finite are filled from their neighbours before, and put back as blocks
    after, so that they are where they were and spoil nothing around them.

    Args:
        values: `[H, W]` of any number type.

    Attributes:
        unit: float32 `[H, W, 1]`, filled, the two percentiles at 0 and 1.
    """

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values.astype(np.float64)
        finite = np.isfinite(self._values)
        self._whole = bool(finite.all())
        known = self._values[finite]
        self._low, self._high = value_range(known) if known.size else (0.0, 1.0)
        unit = (np.where(finite, self._values, self._low) - self._low) / (self._high - self._low)
        if known.size and not self._whole:
            unit = fill(unit, finite)
        self.unit: NDArray[np.float32] = unit.astype(np.float32)[..., None]

    def restored(
        self, strips: Iterable[NDArray[np.float32]], *, size: Size
    ) -> Iterator[NDArray[np.float64]]:
        """Turn the enlarged picture into values.

        Args:
            strips: `[rows, W', 1]`, from top to bottom.
            size: of the enlarged picture.

        Yields:
            `[rows, W']`.
        """
        height, width = self._values.shape
        columns = (np.arange(size[1]) * 2 + 1) * width // (2 * size[1])
        top = 0
        for strip in strips:
            values = strip[..., 0].astype(np.float64) * (self._high - self._low) + self._low
            if not self._whole:
                rows = (np.arange(top, top + len(strip)) * 2 + 1) * height // (2 * size[0])
                nearest = self._values[rows][:, columns]
                values = np.where(np.isfinite(nearest), values, nearest)
            top += len(strip)
            yield values


def enlarge_plane(
    values: NDArray[Any],
    upscaler: Upscaler,
    *,
    size: Size | None = None,
    on_tile: OnTile | None = None,
) -> NDArray[np.float64]:
    """Enlarge one plane of values as a grey picture; see `Plane`.

    Args:
        values: `[H, W]` of any number type.
        upscaler: computes in float32 here.
        size: of the enlarged plane; None is what the model makes.
        on_tile: as `Upscaler.enlarge` takes it.

    Returns:
        `[scale·H, scale·W]`, or of the size.
    """
    plane = Plane(values)
    size = size or (values.shape[0] * upscaler.scale, values.shape[1] * upscaler.scale)
    made = upscaler.strips(plane.unit, size=size, on_tile=on_tile)
    return np.concatenate([*plane.restored(made, size=size)])


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
    total, weight = np.where(known, values, 0.0), known.astype(np.float64)
    filled, there, radius = total.copy(), known, 1
    while not there.all():
        around = _window_sum(weight, radius)
        reached = ~there & (around > 0.5)
        filled[reached] = _window_sum(total, radius)[reached] / around[reached]
        there, radius = there | reached, 2 * radius
    return filled


def _window_sum(image: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Sum over squares of 2·radius + 1 pixels, clipped at the borders."""
    for axis in (0, 1):
        length = image.shape[axis]
        sums = np.insert(np.cumsum(image, axis), 0, 0.0, axis)
        index = np.arange(length)
        above = np.minimum(index + radius + 1, length)
        image = sums.take(above, axis) - sums.take(np.maximum(index - radius, 0), axis)
    return image

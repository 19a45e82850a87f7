"""Strips of any size made into strips of another: Pillow's bicubic, which antialiases."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Size = tuple[int, int]  # height, width
Strip = NDArray[np.float32]

_SUPPORT = 2  # of the bicubic kernel, in pixels of the coarser of both pictures


def resized(strips: Iterable[Strip], *, source: Size, target: Size) -> Iterator[Strip]:
    """Resize a picture that comes strip by strip; the result is that of the whole picture.

    The kernel is the cubic with a = −0.5, stretched where it reduces, its weights normalised at the
    borders too: what is flat stays so.

    Args:
        strips: float32 `[rows, W, C]`, from top to bottom.
        source: of the whole picture that comes.
        target: of the picture that is wanted.

    Yields:
        float32 `[rows, W', C]`.

    Example:
        >>> halves = [np.full((2, 6, 1), 0.5, np.float32), np.full((4, 6, 1), 0.5, np.float32)]
        >>> [strip.tolist() for strip in resized(halves, source=(6, 6), target=(1, 2))]
        [[[[0.5], [0.5]]]]
    """
    height = source[0]
    step = height / target[0]
    reach = _SUPPORT * max(step, 1) + 1
    rows: Strip | None = None
    first = made = 0  # of the rows at hand; of the target
    for strip in strips:
        rows = strip if rows is None else np.concatenate([rows, strip])
        known = first + len(rows)
        ready = target[0] if known >= height else int((known - reach) / step - 0.5)
        if ready <= made:
            continue
        box = made * step - first, ready * step - first
        yield _resized(rows, box, (ready - made, target[1]))
        made = ready
        needless = min(max(int((made + 0.5) * step - reach) - first, 0), len(rows))
        rows, first = rows[needless:].copy(), first + needless


class Mask:
    """An opacity that can be had in any size, row by row.

    It is no photograph: a generator would invent texture in it, and what is wholly opaque must
    stay so. So it is resized bicubically.

    Args:
        alpha: `[H, W]` of integers or floats.
        size: height and width to be had.
    """

    def __init__(self, alpha: NDArray[np.generic], *, size: Size) -> None:
        self._values = alpha.astype(np.float32)[..., None]
        self._size = size

    def rows(self, start: int, stop: int) -> Strip:
        """Return rows of it as float32 `[rows, W', 1]`, of the values that were given."""
        step = len(self._values) / self._size[0]
        return _resized(self._values, (start * step, stop * step), (stop - start, self._size[1]))


def _resized(rows: Strip, box: tuple[float, float], size: Size) -> Strip:
    """Resize the rows of a box (top, bottom), with what lies around it."""
    height, width, channels = rows.shape
    top, bottom = max(box[0], 0.0), min(box[1], float(height))
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(rows[..., channel])).resize(
                (size[1], size[0]), Image.Resampling.BICUBIC, box=(0, top, width, bottom)
            )
        )
        for channel in range(channels)
    ]
    return np.stack(planes, axis=2)

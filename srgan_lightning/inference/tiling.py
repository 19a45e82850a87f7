"""A picture cut into tiles that overlap by the network's receptive field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in LR pixels.

    Attributes:
        start, stop: the part that the tile answers for.
        first, last: the part that it reads: as much more on both sides as the halo is wide,
            but not past the picture, whose own border the network must see.
    """

    start: int
    stop: int
    first: int
    last: int

    def read(self) -> slice:
        """Return what to read of the LR picture."""
        return slice(self.first, self.last)

    def keep(self, scale: int) -> slice:
        """Return what to keep of the enlarged tile."""
        return slice((self.start - self.first) * scale, (self.stop - self.first) * scale)

    def write(self, scale: int) -> slice:
        """Return where that lies in the SR picture."""
        return slice(self.start * scale, self.stop * scale)

    def ramp(self, scale: int) -> NDArray[np.float32]:
        """Return the weights to blend the enlarged tile with its neighbours.

        They rise from 0 to 1 around `start` and fall around `stop`, where a neighbour has read too.

        >>> Span(4, 8, 3, 8).ramp(1).tolist()
        [0.25, 0.75, 1.0, 1.0, 1.0]
        """
        weights = np.ones((self.last - self.first) * scale, np.float32)
        for margin, end in ((self.start - self.first, 1), (self.last - self.stop, -1)):
            if margin:
                rise = (np.arange(len(weights), dtype=np.float32) + 0.5) / (2 * margin * scale)
                weights[::end] *= np.minimum(rise, 1)
        return weights


def next_span(
    start: int, length: int, tile: int, halo: int, *, grid: int = 1, equal: bool = True
) -> Span:
    """Return the tile of at most `tile` pixels that begins at `start` of an axis.

    Args:
        start: where the tile before stopped.
        length: of the axis.
        tile: the most pixels that a tile answers for.
        halo: how many more it reads on each side.
        grid: what it reads begins at a multiple of this.
        equal: whether the rest of the axis is shared evenly; else all but the last tile are full.
    """
    rest = length - start
    size = rest // -(-rest // tile) if equal else min(tile, rest)
    stop = start + size
    return Span(start, stop, max(start - halo, 0) // grid * grid, min(stop + halo, length))


def spans(
    length: int, tile: int, halo: int, *, grid: int = 1, equal: bool = True
) -> Iterator[Span]:
    """Cut one axis into tiles; see `next_span`.

    Example:
        >>> [(s.start, s.stop, s.first, s.last) for s in spans(10, 4, 1)]
        [(0, 3, 0, 4), (3, 6, 2, 7), (6, 10, 5, 10)]
        >>> [(s.start, s.stop) for s in spans(10, 4, 0, equal=False)]
        [(0, 4), (4, 8), (8, 10)]
    """
    start = 0
    while start < length:
        span = next_span(start, length, tile, halo, grid=grid, equal=equal)
        yield span
        start = span.stop


def seam_energy(sr: NDArray[Any], *, period: int) -> float | None:
    """Tell how much tile borders show: steps across them against steps elsewhere.

    The mean square of the second difference of neighbouring pixels across lines at multiples of
    `period`, over that across all other lines. About 1 where no seam is.

    Args:
        sr: `[H, W, C]`.
        period: the side of a tile, in SR pixels.

    Returns:
        The ratio; None where no border lies within the picture, or it is flat.

    Example:
        >>> cubic = np.arange(12.0) ** 3
        >>> seam_energy(np.add.outer(cubic, cubic)[..., None], period=4)
        1.0
    """
    seams, others = [], []
    for axis in (0, 1):
        values = np.moveaxis(np.asarray(sr), axis, 0)
        if len(values) < 4:
            continue
        # What a line through its two neighbours on either side would have the step be.
        steps = np.diff(values, axis=0)
        bend = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
        energy = np.square(bend).reshape(len(bend), -1).mean(1, dtype=np.float64)
        border = (np.arange(len(bend)) + 2) % period == 0
        seams.append(energy[border])
        others.append(energy[~border])
    at, elsewhere = (np.concatenate(found) if found else np.empty(0) for found in (seams, others))
    if not len(at) or not len(elsewhere) or not elsewhere.mean():
        return None
    return float(at.mean() / elsewhere.mean())

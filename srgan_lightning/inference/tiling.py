"""A picture cut into tiles that overlap by the network's receptive field."""

from collections.abc import Iterator
from dataclasses import dataclass


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


def spans(length: int, tile: int, halo: int) -> Iterator[Span]:
    """Cut one axis into equal tiles of at most `tile` pixels, each read with its halo.

    Example:
        >>> [(s.start, s.stop, s.first, s.last) for s in spans(10, 4, 1)]
        [(0, 3, 0, 4), (3, 6, 2, 7), (6, 10, 5, 10)]
    """
    count = -(-length // tile)
    for index in range(count):
        start, stop = index * length // count, (index + 1) * length // count
        yield Span(start, stop, max(start - halo, 0), min(stop + halo, length))


def tiles(height: int, width: int, tile: int, halo: int) -> Iterator[tuple[Span, Span]]:
    """Cut a picture into (rows, columns), row by row of tiles; together they cover it once."""
    for rows in spans(height, tile, halo):
        for columns in spans(width, tile, halo):
            yield rows, columns

"""Parts of the picture, small enough for the equations of all frames, and what looks at them."""

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.fused import places

_PIXELS = 2**18  # of all frames in a tile and its margin, as far as `_LEAST` allows
_MOST = 96  # pixels along a tile and its margin: larger ones are not quicker
_LEAST = 16  # pixels along a tile, however many frames there are

Span = tuple[slice, slice]  # a tile's own pixels along an axis, and those with its margin


def tile_side(frames: int, margin: int) -> int:
    """Return how many pixels a tile has along each axis.

    Where frames are few, tiles are large, and little is computed twice; where they are many, tiles
    are small, and the equations do not grow. With the margin the number is quick to Fourier
    transform.

    >>> [tile_side(frames, 7) for frames in (2, 16, 64, 128, 1000)]
    [82, 82, 50, 31, 16]
    """
    whole = min(_MOST, math.isqrt(_PIXELS // frames))
    whole = next(length for length in range(whole, 0, -1) if _quick(length))
    return max(_LEAST, whole - 2 * margin)


def spans(length: int, side: int, margin: int) -> Iterator[Span]:
    """Divide an axis into tiles, each with a margin around it that is at the end a bit wider."""
    for start in range(0, length, side):
        stop = min(length, start + side)
        whole = next(n for n in itertools.count(stop - start + 2 * margin) if _quick(n))
        yield slice(start, stop), slice(start - margin, start - margin + whole)


def strips(frames: Frames, motion: Motion, rows: slice) -> list[tuple[int, Tensor]]:
    """Read all frames, and keep of each the rows that look at some rows of the reference.

    Returns:
        The first row, and float32 `[C, rows, W]`.
    """
    kept = []
    for n, frame in enumerate(frames):
        seen, _ = _window(motion, n, rows, slice(0, frames.size[1]), frames.size)
        kept.append((seen.start, frame[:, seen].clone()))
    return kept


def looking(
    strips: list[tuple[int, Tensor]], motion: Motion, rows: slice, columns: slice, scale: int
) -> tuple[Tensor, Tensor]:
    """Return the pixels that look at a part of the reference, and where on its HR grid.

    Args:
        strips: of frames.
        motion: of the same.
        rows: among those that the strips were kept for.
        columns: of the reference.
        scale: HR pixels along the side of a frame's pixel.

    Returns:
        `[M, C]`, and (x, y) from the corner of the part, float64 `[M, 2]`.
    """
    origin = torch.tensor([columns.start, rows.start], dtype=torch.float64) * scale
    pixels, where = [], []
    for n, (first, strip) in enumerate(strips):
        height, width = strip.shape[-2:]
        down, across = _window(motion, n, rows, columns, (first + height, width))
        down = slice(max(first, down.start), max(first, down.stop))
        seen = strip[:, down.start - first : down.stop - first, across]
        grid = pixel_grid(*seen.shape[-2:]).flatten(0, 1)
        grid = grid + torch.tensor([across.start, down.start], dtype=torch.float64)
        pixels.append(seen.flatten(1).T)
        where.append(places(motion, n, grid, scale=scale) - origin)
    return torch.cat(pixels), torch.cat(where)


def _quick(length: int) -> bool:
    """Whether a length has no prime factor above 5."""
    return pow(30, 16, length) == 0


def _window(
    motion: Motion, n: int, rows: slice, columns: slice, size: tuple[int, int]
) -> tuple[slice, slice]:
    """Return which rows and columns of frame n look at a part of the reference."""
    part = pixel_grid(rows.stop - rows.start, columns.stop - columns.start)
    edge = torch.cat([part[0], part[-1], part[:, 0], part[:, -1]])
    there = motion.points(n, edge + torch.tensor([columns.start, rows.start]))
    left, top = (there.amin(0).floor() - 1).long().tolist()
    right, bottom = (there.amax(0).ceil() + 2).long().tolist()
    height, width = size
    return (
        slice(min(max(top, 0), height), min(max(bottom, 0), height)),
        slice(min(max(left, 0), width), min(max(right, 0), width)),
    )

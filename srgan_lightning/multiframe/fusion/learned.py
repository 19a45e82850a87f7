"""Frames fused by a trained network."""

from collections.abc import Iterator

import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.degradations.sighted import sighted
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.networks.base import BurstGenerator

_TILE = 96  # pixels of the reference


def fuse_learned(frames: Frames, motion: Motion, generator: BurstGenerator) -> Tensor:
    """Fuse frames with a generator, tile by tile.

    A tile has a margin as wide as the generator's receptive field and as far as pixels look away
    from their place, so that it is fused as the whole would be.

    Args:
        frames: those to be fused, outliers left out, without NaN; the first is the reference. Grey
            ones are taken as RGB.
        motion: of these frames.
        generator: in eval mode.

    Returns:
        SR, float32 `[3, scale·H, scale·W]`.
    """
    height, width = frames.size
    scale = generator.scale
    burst = sighted(frames.stack().expand(-1, 3, -1, -1), motion)
    margin = (generator.halo or max(height, width)) + int(burst[:, 3:].abs().max().ceil())
    sr = burst.new_zeros(3, height * scale, width * scale)
    for rows, more_rows in _spans(height, margin):
        for columns, more_columns in _spans(width, margin):
            with torch.inference_mode():
                made = generator(burst[None, :, :, more_rows, more_columns])[0]
            top = (rows.start - more_rows.start) * scale
            left = (columns.start - more_columns.start) * scale
            inner = made[:, top:, left:]
            there = (slice(s.start * scale, s.stop * scale) for s in (rows, columns))
            place = sr[:, *there]
            place.copy_(inner[:, : place.shape[1], : place.shape[2]])
    return sr


def _spans(length: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Yield the parts of a side, each also with its margin."""
    for start in range(0, length, _TILE):
        stop = min(length, start + _TILE)
        yield slice(start, stop), slice(max(0, start - margin), min(length, stop + margin))

"""Rows before, after and between the bands of a picture."""

from collections.abc import Sequence

import torch
from torch import Tensor

Kept = list[Tensor | None]  # rows of each operand of a layer that it still needs


def no_rows(band: Tensor, channels: int, *, dtype: torch.dtype) -> Tensor:
    """Return what a layer of so many channels answers to too few rows."""
    batch, _, _, width = band.shape
    return band.new_empty((batch, channels, 0, width), dtype=dtype)


def border(row: Tensor, count: int, mode: str) -> Tensor:
    """Return rows beyond the border, in memory as its row is: zeros, or that row again."""
    last = row.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    repeated = row.expand(-1, -1, count, -1).contiguous(memory_format=layout)
    return torch.zeros_like(repeated) if mode == "constant" else repeated


def align(kept: Kept, operands: Sequence[Tensor]) -> tuple[list[Tensor], Kept]:
    """Cut operands to the rows that all of them have; the others are for the next band.

    Args:
        kept: of each operand, from the band before.
        operands: the bands, `[B, C, rows, W]`.

    Returns:
        The operands, and what is to be kept.
    """
    whole = [
        band if rest is None or not rest.shape[2] else torch.cat((rest, band), 2)
        for rest, band in zip(kept or [None] * len(operands), operands, strict=True)
    ]
    common = min(each.shape[2] for each in whole)
    left = [each[:, :, common:].clone() if each.shape[2] > common else None for each in whole]
    return [each[:, :, :common] for each in whole], left

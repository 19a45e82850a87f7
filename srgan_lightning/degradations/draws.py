"""Draws of one value an image that never leave the device, and the bounds of their options."""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from srgan_lightning.degradations.base import Range, check_bounds, draw
from srgan_lightning.errors import UserError


def happens(probability: float, image: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw whether something happens to each image of a batch, bool `[B]`."""
    return draw((0.0, 1.0), image, generator) < probability


def choose(shares: Sequence[float], image: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw a place in `shares` for each image, in proportion to them, int64 `[B]`.

    >>> choose([1.0, 0.0, 3.0], torch.zeros(1000, 1), None).bincount()[1].item()
    0
    """
    *edges, total = accumulate(shares)
    place = draw((0.0, total), image, generator)
    return torch.stack([place >= edge for edge in edges]).sum(0)


def draw_around_one(
    bounds: Range, upper: Tensor, image: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Draw a number for each image, uniformly between 1 and the upper or the lower bound.

    Args:
        bounds: at most 1 and at least 1.
        upper: whose number shall be above 1, bool `[B]`.
        image: the batch.
        generator: the source of the draws, on the images' device.

    Returns:
        `[B]`.
    """
    low, high = bounds
    share = draw((0.0, 1.0), image, generator)
    return 1 + share * torch.where(upper, high - 1, low - 1)


def check_around_one(option: str, bounds: Range, *, low: float) -> None:
    """Raise a `UserError` unless one bound is in [low, 1] and the other is at least 1."""
    check_bounds(option, bounds, low=low)
    if not bounds[0] <= 1 <= bounds[1]:
        raise UserError(
            f"degradation.{option}: must reach from 1 or less to 1 or more; got {list(bounds)}"
        )


def check_shares(option: str, shares: Sequence[float]) -> None:
    """Raise a `UserError` for a negative share, or where all are 0."""
    if not all(0 <= share < math.inf for share in shares) or not sum(shares):
        raise UserError(
            f"degradation.{option}: must be numbers of 0 or more, one of them above; "
            f"got {list(shares)}"
        )

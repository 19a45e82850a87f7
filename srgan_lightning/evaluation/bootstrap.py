"""Two methods compared on the same pictures, with an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.evaluation.table import Table

FIGURES = ("psnr", "ssim", "lpips")
LEVEL = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much one method's mean figure exceeds another's.

    Attributes:
        method: the one.
        to: the other.
        figure: "psnr", ….
        mean: the mean difference over the pictures.
        low: lower end of the 95 % interval.
        high: its upper end.
        pictures: how many both were measured on.
    """

    method: str
    to: str
    figure: str
    mean: float
    low: float
    high: float
    pictures: int


def paired_interval(
    differences: Sequence[float] | NDArray[np.float64],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean (Efron & Tibshirani 1993, chapter 13).

    Args:
        differences: one for each picture; pictures are drawn from them with replacement.
        level: the share of the resampled means that the interval holds.
        resamples: how many means are drawn.
        seed: of the draws.

    Returns:
        Its lower and upper end.

    Example:
        >>> paired_interval([0.5, 0.5, 0.5])
        (0.5, 0.5)
    """
    values = np.asarray(differences, np.float64)
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[draws].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def compare(table: Table, *, to: str | None = None) -> list[Difference]:
    """Compare every method of a table with one of them, by a paired bootstrap over pictures.

    Several runs of a method count by their mean on each picture.

    Args:
        table: the figures.
        to: the method to compare with; None takes the first.

    Returns:
        PSNR, SSIM and LPIPS, where both have them on two pictures at least, all finite.

    Raises:
        UserError: where the table has no such method.
    """
    if to is None:
        to = table.methods[0]
    if to not in table.methods:
        raise UserError(f"compare_to: no method is called {to!r}; {nearest(to, table.methods)}")
    others = [method for method in table.methods if method != to]
    found = (_difference(table, method, to, figure) for method in others for figure in FIGURES)
    return [difference for difference in found if difference is not None]


def _difference(table: Table, method: str, to: str, figure: str) -> Difference | None:
    one, other = (
        {row.picture: row.figures[figure] for row in table.pictures(name) if figure in row.figures}
        for name in (method, to)
    )
    values = [one[picture] - other[picture] for picture in one if picture in other]
    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        return None
    low, high = paired_interval(values)
    mean = math.fsum(values) / len(values)
    return Difference(
        method=method, to=to, figure=figure, mean=mean, low=low, high=high, pictures=len(values)
    )

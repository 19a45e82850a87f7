"""Figures by method and picture, and their means."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from srgan_lightning.evaluation.protocol import Protocol

MEAN = "mean"


@dataclass(frozen=True)
class Row:
    """The figures of one method on one picture, by name ("psnr", "ssim", …).

    Attributes:
        method: whose they are.
        picture: its name.
        figures: what could be measured.
        run: which of the method's runs (seeds); empty where there is one.
    """

    method: str
    picture: str
    figures: Mapping[str, float]
    run: str = ""


@dataclass(frozen=True)
class Table:
    """Figures measured by one protocol; tables of the same protocol add up to one.

    Attributes:
        protocol: the terms.
        rows: a row for each method, run and picture.
        notes: what a reader must know, a line each.

    Example:
        >>> rows = [Row("bicubic", "a", {"psnr": 20.0}), Row("bicubic", "b", {"psnr": 30.0})]
        >>> table = Table(Protocol(degradation="bicubic"), rows)
        >>> table.mean("bicubic")
        {'psnr': 25.0}
    """

    protocol: Protocol
    rows: Sequence[Row]
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Table") -> "Table":
        if self.protocol != other.protocol:
            raise ValueError(
                f"figures of two protocols: {self.protocol.stamp()} and {other.protocol.stamp()}"
            )
        notes = dict.fromkeys([*self.notes, *other.notes])
        return Table(self.protocol, [*self.rows, *other.rows], tuple(notes))

    @property
    def methods(self) -> list[str]:
        """The methods, in the order in which they came."""
        return list(dict.fromkeys(row.method for row in self.rows))

    @property
    def figures(self) -> list[str]:
        """The names of the figures, in the order of the row that has most of them."""
        fullest = max(self.rows, key=lambda row: len(row.figures), default=None)
        first = fullest.figures if fullest else {}
        return list(dict.fromkeys([*first, *(name for row in self.rows for name in row.figures)]))

    def of(self, method: str) -> list[Row]:
        """Return the rows of a method."""
        return [row for row in self.rows if row.method == method]

    def runs(self, method: str) -> list[str]:
        """Return the names of a method's runs; one empty name where it has no others."""
        return list(dict.fromkeys(row.run for row in self.of(method)))

    def mean(self, method: str, *, run: str | None = None) -> dict[str, float]:
        """Return the mean of each figure over a method's pictures (never of pooled errors).

        Args:
            method: whose.
            run: one of its runs; None takes the mean of all.
        """
        return self._mean(row for row in self.of(method) if run is None or row.run == run)

    def deviation(self, method: str) -> dict[str, float]:
        """Return the sample standard deviation of each run's mean; empty for a single run."""
        means = [self.mean(method, run=run) for run in self.runs(method)]
        if len(means) < 2:
            return {}
        return {
            name: statistics.stdev(mean[name] for mean in means)
            for name in means[0]
            if all(math.isfinite(mean.get(name, math.nan)) for mean in means)
        }

    def means(self) -> list[Row]:
        """Return one row of means for each method."""
        return [Row(method, MEAN, self.mean(method)) for method in self.methods]

    def pictures(self, method: str) -> list[Row]:
        """Return one row for each picture of a method: the mean of its runs."""
        rows: dict[str, list[Row]] = {}
        for row in self.of(method):
            rows.setdefault(row.picture, []).append(row)
        return [Row(method, picture, self._mean(same)) for picture, same in rows.items()]

    def _mean(self, rows: Iterable[Row]) -> dict[str, float]:
        columns: dict[str, list[float]] = {name: [] for name in self.figures}
        for row in rows:
            for name, value in row.figures.items():
                columns[name].append(value)
        return {name: math.fsum(c) / len(c) for name, c in columns.items() if c}

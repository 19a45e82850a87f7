"""Figures by method and picture: their means, and the files and tables that show them."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import rich.console
import rich.table
import rich.text

from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.imaging.write import whole_file

MEAN = "mean"
HEADINGS = {"psnr": "PSNR [dB]", "ssim": "SSIM", "sharpness": "sharpness", "seconds": "seconds"}
DIGITS = {"psnr": 2, "ssim": 4, "sharpness": 3, "seconds": 3}


@dataclass(frozen=True)
class Row:
    """The figures of one method on one picture, by name ("psnr", "ssim", …)."""

    method: str
    picture: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """Figures measured by one protocol; tables of the same protocol add up to one.

    Example:
        >>> rows = [Row("bicubic", "a", {"psnr": 20.0}), Row("bicubic", "b", {"psnr": 30.0})]
        >>> table = Table(Protocol(degradation="bicubic"), rows)
        >>> table.mean("bicubic")
        {'psnr': 25.0}
    """

    protocol: Protocol
    rows: Sequence[Row]

    def __add__(self, other: "Table") -> "Table":
        if self.protocol != other.protocol:
            raise ValueError(
                f"figures of two protocols: {self.protocol.stamp()} and {other.protocol.stamp()}"
            )
        return Table(self.protocol, [*self.rows, *other.rows])

    @property
    def methods(self) -> list[str]:
        """The methods, in the order in which they came."""
        return list(dict.fromkeys(row.method for row in self.rows))

    @property
    def figures(self) -> list[str]:
        """The names of the figures, in the order in which they came."""
        return list(dict.fromkeys(name for row in self.rows for name in row.figures))

    def of(self, method: str) -> list[Row]:
        """Return the rows of a method."""
        return [row for row in self.rows if row.method == method]

    def mean(self, method: str) -> dict[str, float]:
        """Return the mean of each figure over a method's pictures (never of pooled errors)."""
        rows = self.of(method)
        return {
            name: math.fsum(row.figures[name] for row in rows) / len(rows) for name in self.figures
        }

    def means(self) -> list[Row]:
        """Return one row of means for each method."""
        return [Row(method, MEAN, self.mean(method)) for method in self.methods]


def save(table: Table, folder: Path, *, name: str = "figures") -> list[Path]:
    """Write a table as `name`.csv, .json and .md into a folder, and return the three paths.

    CSV and JSON hold full precision (an infinite PSNR is the word inf), Markdown is rounded.
    """
    texts = {".csv": _csv(table), ".json": _json(table), ".md": _markdown(table)}
    paths = []
    for suffix, text in texts.items():
        path = folder / f"{name}{suffix}"
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths


def render(table: Table, *, title: str, pictures: bool = True) -> rich.console.Group:
    """Lay a table out for the terminal, its protocol underneath.

    Args:
        table: what to show.
        title: a heading.
        pictures: show every picture's figures and not only the means.
    """
    shown = rich.table.Table(title=title, title_justify="left")
    shown.add_column("method")
    if pictures:
        shown.add_column("picture")
    for name in table.figures:
        shown.add_column(HEADINGS.get(name, name), justify="right")
    for mean in table.means():
        for row in table.of(mean.method) if pictures else []:
            shown.add_row(row.method, row.picture, *_cells(table, row))
        shown.add_row(
            mean.method,
            *([MEAN] if pictures else []),
            *_cells(table, mean),
            style="bold" if pictures else None,
            end_section=pictures,
        )
    return rich.console.Group(shown, rich.text.Text(table.protocol.stamp(), style="dim"))


def _cells(table: Table, row: Row) -> list[str]:
    return [f"{row.figures[name]:.{DIGITS.get(name, 4)}f}" for name in table.figures]


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["method", "picture", *table.figures, "protocol"])
    for row in [*table.rows, *table.means()]:
        values = [repr(row.figures[name]) for name in table.figures]
        writer.writerow([row.method, row.picture, *values, table.protocol.stamp()])
    return text.getvalue()


def _json(table: Table) -> str:
    document = {
        "protocol": {**asdict(table.protocol), "stamp": table.protocol.stamp()},
        "methods": {
            mean.method: {
                MEAN: _plain(mean.figures),
                "pictures": {row.picture: _plain(row.figures) for row in table.of(mean.method)},
            }
            for mean in table.means()
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(figures: Mapping[str, float]) -> dict[str, float | str]:
    return {name: value if math.isfinite(value) else repr(value) for name, value in figures.items()}


def _markdown(table: Table) -> str:
    headings = ["method", "picture", *(HEADINGS.get(name, name) for name in table.figures)]
    rules = ["---", "---", *("---:" for _ in table.figures)]
    lines = [headings, rules]
    for mean in table.means():
        lines += [[row.method, row.picture, *_cells(table, row)] for row in table.of(mean.method)]
        lines.append([f"**{cell}**" for cell in (mean.method, MEAN, *_cells(table, mean))])
    body = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
    return f"{body}\n\n{table.protocol.stamp()}\n"

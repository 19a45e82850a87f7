"""Tables as files: CSV, JSON and Markdown."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from srgan_lightning.evaluation.bootstrap import Difference
from srgan_lightning.evaluation.table import MEAN, Table
from srgan_lightning.evaluation.words import (
    cells,
    difference_cells,
    difference_title,
    heading,
    mean_cells,
)
from srgan_lightning.imaging.write import whole_file


def save(
    table: Table,
    folder: Path,
    *,
    name: str = "figures",
    differences: Sequence[Difference] = (),
) -> list[Path]:
    """Write a table as `name`.csv, .json and .md into a folder, and return the three paths.

    CSV and JSON hold full precision (an infinite PSNR is the word inf), Markdown is rounded. The
    differences stand in JSON and Markdown.
    """
    texts = {
        ".csv": _csv(table),
        ".json": _json(table, differences),
        ".md": _markdown(table, differences),
    }
    paths = []
    for suffix, text in texts.items():
        path = folder / f"{name}{suffix}"
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths


def markdown_table(lines: Sequence[Sequence[str]], *, left: int) -> str:
    """Write lines of cells, the first being headings, with `left` columns aligned to the left."""
    rule = ["---"] * left + ["---:"] * (len(lines[0]) - left)
    rows = [lines[0], rule, *lines[1:]]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    several = any(row.run for row in table.rows)
    names = table.figures
    writer.writerow(["method", *(["run"] if several else []), "picture", *names, "protocol"])
    for row in [*table.rows, *table.means()]:
        values = [repr(row.figures[name]) if name in row.figures else "" for name in names]
        run = [row.run] if several else []
        writer.writerow([row.method, *run, row.picture, *values, table.protocol.stamp()])
    return text.getvalue()


def _json(table: Table, differences: Sequence[Difference]) -> str:
    document = {
        "protocol": {**asdict(table.protocol), "stamp": table.protocol.stamp()},
        "notes": table.notes,
        "methods": {method: _method(table, method) for method in table.methods},
        "differences": [asdict(difference) for difference in differences],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _method(table: Table, method: str) -> dict[str, object]:
    node: dict[str, object] = {
        MEAN: _plain(table.mean(method)),
        "pictures": {row.picture: _plain(row.figures) for row in table.pictures(method)},
    }
    if len(table.runs(method)) > 1:
        node["deviation"] = _plain(table.deviation(method))
        node["runs"] = {run: _plain(table.mean(method, run=run)) for run in table.runs(method)}
    return node


def _plain(figures: Mapping[str, float]) -> dict[str, float | str]:
    return {name: value if math.isfinite(value) else repr(value) for name, value in figures.items()}


def _markdown(table: Table, differences: Sequence[Difference]) -> str:
    names = table.figures
    lines = [["method", "picture", *map(heading, names)]]
    for method in table.methods:
        lines += [[method, row.picture, *cells(row, names)] for row in table.pictures(method)]
        means = mean_cells(table, method, names)
        lines.append([f"**{cell}**" if cell else "" for cell in (method, MEAN, *means)])
    parts = [markdown_table(lines, left=2), "\n\n".join((table.protocol.stamp(), *table.notes))]
    if differences:
        compared = [["method", "figure", MEAN, "interval"], *map(difference_cells, differences)]
        parts += [difference_title(list(differences)), markdown_table(compared, left=2)]
    return "\n\n".join(parts) + "\n"

"""Tables for the terminal."""

from collections.abc import Sequence

import rich.console
import rich.table
import rich.text

from srgan_lightning.evaluation.bootstrap import Difference
from srgan_lightning.evaluation.table import MEAN, Table
from srgan_lightning.evaluation.words import (
    CHARACTER,
    COSTS,
    cells,
    difference_cells,
    difference_title,
    heading,
    mean_cells,
)


def render(
    table: Table,
    *,
    title: str,
    pictures: bool = True,
    differences: Sequence[Difference] = (),
) -> rich.console.Group:
    """Lay a table out for the terminal, its protocol underneath.

    The likeness to HR comes first; what SR is like and what it costs come as means in a second
    table.

    Args:
        table: what to show.
        title: a heading.
        pictures: show every picture's figures and not only the means.
        differences: what `compare` found, shown in a third table.
    """
    aside = (*CHARACTER, *COSTS)
    likeness = [name for name in table.figures if name not in aside]
    parts: list[rich.console.RenderableType] = [_likeness(table, likeness, title, pictures)]
    if rest := [name for name in table.figures if name in aside]:
        parts.append(_means(table, rest))
    if differences:
        parts.append(_differences(differences))
    parts += [rich.text.Text(line, style="dim") for line in (table.protocol.stamp(), *table.notes)]
    return rich.console.Group(*parts)


def _likeness(table: Table, names: list[str], title: str, pictures: bool) -> rich.table.Table:
    shown = _begin(title, ["method", *(["picture"] if pictures else [])], names)
    for method in table.methods:
        for row in table.pictures(method) if pictures else []:
            shown.add_row(row.method, row.picture, *cells(row, names))
        shown.add_row(
            method,
            *([MEAN] if pictures else []),
            *mean_cells(table, method, names),
            style="bold" if pictures else None,
            end_section=pictures,
        )
    return shown


def _means(table: Table, names: list[str]) -> rich.table.Table:
    shown = _begin(None, ["method"], names)
    for method in table.methods:
        shown.add_row(method, *mean_cells(table, method, names))
    return shown


def _differences(differences: Sequence[Difference]) -> rich.table.Table:
    shown = _begin(difference_title(list(differences)), ["method"], ["figure", MEAN, "interval"])
    for difference in differences:
        shown.add_row(*difference_cells(difference))
    return shown


def _begin(title: str | None, left: list[str], right: list[str]) -> rich.table.Table:
    shown = rich.table.Table(title=title, title_justify="left")
    for name in left:
        shown.add_column(name)
    for name in right:
        shown.add_column(rich.text.Text(heading(name)), justify="right")
    return shown

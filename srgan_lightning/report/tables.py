"""The report's tables as HTML: what was put in, and the figures of methods."""

from collections.abc import Sequence
from html import escape

from srgan_lightning.evaluation.words import heading
from srgan_lightning.report.figures import best, hint, written
from srgan_lightning.report.groups import Group
from srgan_lightning.report.records import Folder
from srgan_lightning.sweeps.status import summary


def inputs_table(folders: Sequence[Folder]) -> str:
    """Say which folders the report was made of, and what they hold."""
    rows = "".join(
        f'<tr><th scope="row">{escape(folder.label)}</th><td>{escape(_contents(folder))}</td></tr>'
        for folder in folders
    )
    head = '<tr><th scope="col">folder</th><th scope="col">holds</th></tr>'
    return (
        f'<div class="scroll"><table class="inputs"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _contents(folder: Folder) -> str:
    if folder.sweep is not None:
        return f"a sweep of {summary(folder.sweep)}"
    parts = []
    if run := folder.run:
        parts.append(f"a run of {run.generator or 'a generator'}, {run.steps:,} generator steps")
    if evaluation := folder.evaluation:
        pictures = {name for method in evaluation.methods for name in method.pictures}
        saved = "" if evaluation.hr else ", no pictures saved"
        parts.append(
            f"figures of {_count(len(evaluation.methods), 'method')} on "
            f"{_count(len(pictures), 'picture')}{saved}"
        )
    return "; ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def methods_table(group: Group) -> str:
    """Lay out the means of a group's methods; the best of each figure is bold."""
    origins = len({method.origin for method in group.methods}) > 1
    bests = {
        name: best(name, [m.means[name] for m in group.methods if name in m.means])
        for name in group.figures
    }
    head = [sortable("method", "ascending", "")]
    head += [sortable("from", "ascending", "")] if origins else []
    head += [sortable(heading(n), _first_order(n), hint(n), "number") for n in group.figures]
    rows = []
    for method in group.methods:
        cells = [f'<th scope="row" data-value="{escape(method.name)}">{escape(method.name)}</th>']
        if origins:
            cells.append(f'<td data-value="{escape(method.origin)}">{escape(method.origin)}</td>')
        for name in group.figures:
            value = method.means.get(name)
            if value is None:
                cells.append('<td class="number" data-value="">–</td>')
                continue
            text = escape(written(name, value, method.deviations.get(name)))
            text = f"<strong>{text}</strong>" if value == bests[name] else text
            cells.append(f'<td class="number" data-value="{value!r}">{text}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    pictures = _count(len(group.pictures), "picture")
    return (
        f'<p class="note">Means over {pictures}; the best in bold.</p>'
        f'<div class="scroll"><table class="methods" aria-label="{escape(group.stamp)}">'
        f"<thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + "".join(f'<p class="note">{escape(note)}</p>' for note in group.notes)
    )


def _first_order(name: str) -> str:
    return "descending" if hint(name).startswith("higher") else "ascending"


def sortable(text: str, order: str, title: str, kind: str = "text") -> str:
    """Return the head of a column that a click sorts.

    Args:
        text: the heading.
        order: `ascending` or `descending`: what the first click does.
        title: a hint for the pointer.
        kind: `text` or `number`.
    """
    tip = f' title="{escape(title)}"' if title else ""
    return (
        f'<th scope="col" class="{kind}" aria-sort="none">'
        f'<button type="button" data-order="{order}"{tip}>'
        f"{escape(text)}</button></th>"
    )

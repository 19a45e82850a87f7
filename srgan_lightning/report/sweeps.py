"""The report's part on a sweep: ranking, parallel coordinates, importance, and the best sheets."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from srgan_lightning.evaluation.words import heading
from srgan_lightning.imaging.read import image_size
from srgan_lightning.report.figures import BEST, hint, written
from srgan_lightning.report.groups import Group
from srgan_lightning.report.parallel import Line, parallel
from srgan_lightning.report.records import Folder, Method
from srgan_lightning.report.tables import sortable
from srgan_lightning.report.viewers import Store, viewer
from srgan_lightning.sweeps.importance import importance
from srgan_lightning.sweeps.overview import JobStanding, Overview, short_keys
from srgan_lightning.sweeps.status import best_line, progress, summary

SHEETS = "sheets of the best jobs"


def sweep_parts(folder: Folder, sweep: Overview, store: Store) -> list[str]:
    """Return what the report says of a sweep, as HTML.

    Raises:
        UserError: for a sheet that is no picture.
    """
    note = f'<p class="note">{escape(summary(sweep))}; {escape(best_line(sweep))}.</p>'
    return [note, _ranking(sweep), _parallel(sweep), _importance(sweep), _sheets(folder, store)]


def _ranking(sweep: Overview) -> str:
    names = short_keys(sweep.keys)
    head = [sortable("rank", "ascending", "finished jobs by the objective", "number")]
    head += [sortable("job", "ascending", "its folder", "number")]
    head += [sortable(names[key], "ascending", key) for key in sweep.keys]
    for name in sweep.figures:
        plain = name.removeprefix("val/")
        order = "ascending" if BEST.get(plain, 1) < 0 else "descending"
        head.append(sortable(heading(plain), order, hint(plain), "number"))
    head += [sortable("status", "ascending", ""), sortable("step", "descending", "", "number")]
    head.append(sortable("why", "ascending", "of jobs that are not well"))
    rows = [
        _row(sweep, job, place if _is_ranked(sweep, job) else None)
        for place, job in enumerate(sweep.ranked, start=1)
    ]
    return (
        '<h3>Ranking</h3><div class="scroll"><table class="methods ranking">'
        f"<thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _is_ranked(sweep: Overview, job: JobStanding) -> bool:
    return job.status == "finished" and math.isfinite(sweep.value(job))


def _row(sweep: Overview, job: JobStanding, place: int | None) -> str:
    cells = [_cell(str(place or "–"), str(place or ""), "number")]
    cells.append(_cell(str(job.job.number), str(job.job.number), "number"))
    cells += [_cell(job.values.get(key, "–"), job.values.get(key, "")) for key in sweep.keys]
    for name in sweep.figures:
        value = job.figures.get(name)
        if value is None:
            cells.append(_cell("–", "", "number"))
        elif math.isnan(value):
            cells.append(_cell("diverged", "", "number"))
        else:
            text = written(name.removeprefix("val/"), value)
            cells.append(
                _cell(text, repr(value), "number", strong=place == 1 and name == sweep.objective)
            )
    cells.append(_cell(job.status, job.status))
    cells.append(_cell(progress(job), str(job.step), "number"))
    cells.append(_cell(job.reason, job.reason))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(text: str, value: str, kind: str = "text", *, strong: bool = False) -> str:
    inner = f"<strong>{escape(text)}</strong>" if strong else escape(text)
    return f'<td class="{kind}" data-value="{escape(value)}">{inner}</td>'


def _parallel(sweep: Overview) -> str:
    known = [job for job in sweep.ranked if math.isfinite(sweep.value(job)) and not job.diverged]
    if len(known) < 2 or not sweep.keys:
        return ""
    names = short_keys(sweep.keys)
    values = [sweep.value(job) for job in known]
    low, high = min(values), max(values)

    def quality(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 1.0
        return share if sweep.maximize else 1 - share

    lines = [
        Line(
            name=f"job {job.job.number}, {job.job.label}",
            values=[job.values.get(key, "–") for key in sweep.keys],
            reached=sweep.value(job),
            quality=quality(sweep.value(job)),
            finished=job.status == "finished",
        )
        for job in known
    ]
    axes = [names[key] for key in sweep.keys]
    chart = parallel(lines, axes=axes, objective=sweep.objective)
    dashed = " Dashed: not finished." if not all(one.finished for one in lines) else ""
    left = len(sweep.jobs) - len(known)
    also = f" {left} without a figure {'is' if left == 1 else 'are'} left out." if left else ""
    return (
        "<h3>Parallel coordinates</h3>"
        '<p class="note">A line a job, the better the stronger; the best in another colour.'
        f'{dashed}{also}</p><div class="scroll">{chart}</div>'
    )


def _importance(sweep: Overview) -> str:
    finished = [(job.values, sweep.value(job)) for job in sweep.jobs if _is_ranked(sweep, job)]
    found = importance(finished, sweep.keys)
    if not found:
        return ""
    names = short_keys(sweep.keys)
    rows = "".join(
        f'<tr><th scope="row">{escape(names[one.key])}</th>'
        f'<td class="bar-cell"><meter min="0" max="1" value="{one.share:.4f}"></meter></td>'
        f'<td class="number">{100 * one.share:.0f} %</td>'
        f'<td class="number">{100 * one.by_chance:.0f} %</td>'
        f'<td class="number">{one.classes}</td></tr>'
        for one in found
    )
    heads = "".join(
        f'<th scope="col" class="number">{text}</th>'
        for text in ("explains", "by chance", "classes")
    )
    return (
        "<h3>Importance of each swept value</h3>"
        f'<p class="note">The share of the variance of {escape(sweep.objective)} over the '
        f"{len(finished)} finished jobs that its main effect explains (η² of a one-way analysis of "
        "variance; drawn numbers in thirds), and what a value without any effect would explain by "
        "chance. Only a share well above chance says something.</p>"
        f'<div class="scroll"><table class="importance"><thead><tr><th scope="col">value</th>'
        f'<th scope="col"></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _sheets(folder: Folder, store: Store) -> str:
    """Put the sheets of the best jobs under a slider, as far as they have one size."""
    sheets = {job.label: sheet for job in folder.jobs if (sheet := _sheet(job.path)) is not None}
    if not sheets:
        return ""
    size = image_size(next(iter(sheets.values())))
    alike = {label: sheet for label, sheet in sheets.items() if image_size(sheet) == size}
    methods = [
        Method(
            name=label,
            means={},
            deviations={},
            pictures={SHEETS: {}},
            files={SHEETS: sheet},
            origin=label,
        )
        for label, sheet in alike.items()
    ]
    group = Group(stamp="", pictures=(SHEETS,), methods=methods, hr={}, lr={}, notes=())
    left = len(sheets) - len(alike)
    also = f" {left} of another layout left out." if left else ""
    return (
        '<h3>The best beside each other</h3><p class="note">The sheets of validation photographs '
        f"that the runs drew last, the best job first.{also}</p>{viewer(group, SHEETS, store)}"
    )


def _sheet(run: Path) -> Path | None:
    """Return the sheet that a run drew last."""
    drawn: Sequence[Path] = sorted((run / "pictures").glob("step_*.png"))
    final = run / "comparison.png"
    return final if final.is_file() else (drawn[-1] if drawn else None)

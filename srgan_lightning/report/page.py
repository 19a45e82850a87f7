"""The whole report: sections assembled, one HTML file written."""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from rich.console import Console
from rich.progress import track

import srgan_lightning
from srgan_lightning.evaluation.words import heading
from srgan_lightning.imaging.write import whole_file
from srgan_lightning.report.bursts import frames_chart
from srgan_lightning.report.charts import SERIES, curves, scatter
from srgan_lightning.report.figures import DISTORTION, PERCEPTION, hint
from srgan_lightning.report.groups import Group, group
from srgan_lightning.report.read import read_folders
from srgan_lightning.report.records import Folder, Run
from srgan_lightning.report.sweeps import sweep_parts
from srgan_lightning.report.tables import inputs_table, methods_table
from srgan_lightning.report.viewers import Store, viewable, viewer

VALIDATION = "val/psnr"


def write_report(
    folders: Sequence[Path], output: Path, *, title: str, pictures: int, console: Console
) -> None:
    """Write one self-contained HTML file of runs, evaluations and sweeps.

    Args:
        folders: of `srgan train`, `srgan train -m` and `srgan evaluate`.
        output: the file; it appears whole or not at all.
        title: its heading.
        pictures: the most pictures to compare, of each table.
        console: shows progress.

    Raises:
        UserError: for a folder that is none of them, a broken file or a missing picture.
    """
    page = make_page(read_folders(folders), title=title, pictures=pictures, console=console)
    with whole_file(output) as part:
        part.write_text(page, encoding="utf-8")


def make_page(folders: Sequence[Folder], *, title: str, pictures: int, console: Console) -> str:
    """Return the report as HTML; see `write_report`."""
    single = [one for folder in folders for one in (folder.jobs if folder.sweep else [folder])]
    groups = group(single)
    runs = [folder.run for folder in single if folder.run is not None]
    store = Store()
    sections = [
        _section("Put in", inputs_table(folders)),
        *(
            _section(f"Sweep {folder.label}", *sweep_parts(folder, folder.sweep, store))
            for folder in folders
            if folder.sweep is not None
        ),
        _section("Figures", *(_figures(one) for one in groups)),
        _curves_section(runs),
        _section("Pictures", *(_viewers(one, store, pictures, console) for one in groups)),
    ]
    script = _asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_asset("report.html")).substitute(
        title=escape(title),
        version=escape(srgan_lightning.__version__),
        style=_asset("report.css"),
        script=script,
        digest=digest,
        body="\n".join(sections),
        pictures=json.dumps(store.pictures),
    )


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _section(title: str, *parts: str) -> str:
    if not any(parts):
        return ""
    return f"<section>\n<h2>{escape(title)}</h2>\n{''.join(parts)}\n</section>"


def _figures(group: Group) -> str:
    return f"<h3>{escape(group.stamp)}</h3>{methods_table(group)}{_frames(group)}{_plane(group)}"


def _frames(group: Group) -> str:
    chart = frames_chart({method.name: method.means for method in group.methods})
    return f'<h4>What more frames bring</h4><div class="scroll">{chart}</div>' if chart else ""


def _plane(group: Group) -> str:
    """Draw distortion against perception, of the first figures that most methods have."""
    x, y = (max(names, key=lambda n: _measured(group, n)) for names in (DISTORTION, PERCEPTION))
    points = {
        method.name: (method.means[x], method.means[y])
        for method in group.methods
        if math.isfinite(method.means.get(x, math.nan))
        and math.isfinite(method.means.get(y, math.nan))
    }
    if len(points) < 2:
        return ""
    titles = [f"{heading(name)} – {hint(name)}" for name in (x, y)]
    chart = scatter(points, x_title=titles[0], y_title=titles[1])
    return f'<h4>Perception and distortion</h4><div class="scroll">{chart}</div>'


def _measured(group: Group, name: str) -> int:
    return sum(name in method.means for method in group.methods)


def _curves_section(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    names = {name: None for run in runs for name in run.curves if name.startswith("loss/")}
    total = max(run.steps for run in runs)
    stages = dict.fromkeys(stage for run in runs for stage in run.stages)
    charts = []
    for name in (VALIDATION, *names):
        series = {
            run.label: (number, run.curves[name])
            for number, run in enumerate(runs)
            if name in run.curves
        }
        if series:
            y_title = f"{name.removeprefix('loss/')} loss"
            if name == VALIDATION:
                y_title = "validation PSNR [dB]"
            chart = curves(series, y_title=y_title, stages=list(stages), total=total)
            charts.append(f'<div class="scroll">{chart}</div>')
    legend = "".join(
        f'<li class="s{number % SERIES}">{escape(run.label)}</li>'
        for number, run in enumerate(runs)
    )
    return _section(
        "Learning curves",
        f'<ul class="legend">{legend}</ul><div class="charts">{"".join(charts)}</div>',
    )


def _viewers(group: Group, store: Store, limit: int, console: Console) -> str:
    names = viewable(group)
    if not names:
        return ""
    shown = names[:limit]
    bar = track(shown, description="pictures", console=console, transient=True)
    viewers = [viewer(group, name, store) for name in bar]
    left_out = len(names) - len(shown)
    note = ""
    if left_out:
        note = (
            f'<p class="note">{left_out} of {len(names)} pictures '
            f"{'is' if left_out == 1 else 'are'} left out; --pictures {len(names)} shows all.</p>"
        )
    return f"<h3>{escape(group.stamp)}</h3>{''.join(viewers)}{note}"

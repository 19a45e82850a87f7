"""How a sweep stands, for a terminal."""

import math
from typing import Any

from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from srgan_lightning.sweeps.overview import JobStanding, Overview, Status, short_keys

WIDEST = 10_000  # characters; more than any table has
COLOURS: dict[Status, str] = {
    "finished": "green",
    "running": "cyan",
    "waiting": "bright_black",
    "pruned": "yellow",
    "failed": "red",
}


def print_status(overview: Overview, console: Console) -> None:
    """Print a line for each job: status, progress, what sets it apart, its last figures.

    The table is as wide as it needs: a value that is cut or broken is not to be read.
    """
    table = _table(overview)
    needed = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    console.width = max(console.width, needed)
    reasons = [
        Text(f"job {job.job.number} {job.status}: {job.reason}")
        for job in overview.jobs
        if job.reason
    ]
    end = [Text(f"{summary(overview)}; {best_line(overview)}")]
    console.print(Group(table, "", *reasons, *([""] if reasons else []), *end), soft_wrap=True)


def as_values(overview: Overview) -> dict[str, Any]:
    """Return the same as plain containers for a program; NaN is None."""
    return {
        "objective": overview.objective,
        "maximize": overview.maximize,
        "counts": overview.counts,
        "ranked": [job.job.number for job in overview.ranked],
        "jobs": [
            {
                "number": job.job.number,
                "folder": str(job.folder),
                "status": job.status,
                "reason": job.reason,
                "step": job.step,
                "steps": job.steps,
                "values": dict(job.values),
                "figures": {k: v if math.isfinite(v) else None for k, v in job.figures.items()},
            }
            for job in overview.jobs
        ],
    }


def _table(overview: Overview) -> Table:
    names = short_keys(overview.keys)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("job", justify="right")
    table.add_column("status", no_wrap=True)
    table.add_column("step", justify="right", no_wrap=True)
    for key in overview.keys:
        table.add_column(Text(names[key]), no_wrap=True)
    for name in overview.figures:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for job in overview.jobs:
        table.add_row(
            str(job.job.number),
            Text(job.status, style=COLOURS[job.status]),
            progress(job),
            *(Text(job.values.get(key, "–")) for key in overview.keys),
            *(_figure(job.figures.get(name)) for name in overview.figures),
        )
    return table


def progress(job: JobStanding) -> str:
    """Say how far a job is: `120/400 30 %`."""
    if not job.steps:
        return "–"
    return f"{job.step}/{job.steps} {100 * job.step // job.steps:3d} %"


def summary(overview: Overview) -> str:
    """Say how many jobs there are, and how they stand."""
    parts = ", ".join(f"{count} {status}" for status, count in overview.counts.items())
    count = len(overview.jobs)
    return f"{count} job{'' if count == 1 else 's'}: {parts}"


def best_line(overview: Overview) -> str:
    """Say which job is the best so far."""
    known = [job for job in overview.ranked if math.isfinite(overview.value(job))]
    if not known or known[0].diverged:
        return "no figures yet"
    best = known[0]
    return (
        f"best by {overview.objective}: job {best.job.number} ({best.job.label}), "
        f"{overview.value(best):.4g}"
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"

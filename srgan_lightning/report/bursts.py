"""What more frames bring: each method of fusion as a curve over the number of its frames."""

import math
import re
from collections.abc import Mapping
from html import escape
from importlib import resources

from srgan_lightning.evaluation.words import heading
from srgan_lightning.report.axes import Axis
from srgan_lightning.report.charts import SERIES, Frame, Points, grid, polyline, svg
from srgan_lightning.report.labels import place_labels, shortened
from srgan_lightning.report.records import Figures

_FIGURE = "psnr"
_OF = re.compile(r"^(?P<method>.*) of (?P<frames>\d+)$")


def frames_chart(means: Mapping[str, Figures]) -> str:
    """Draw PSNR over the number of frames; what looks at one frame alone is a level line.

    Args:
        means: by method, those of `srgan evaluate degradation=burst`, which has a figure "frames"
            and calls a method "map of 16".

    Returns:
        An `<svg>` element; nothing where no method was measured with several numbers of frames.
    """
    series = frame_series(means)
    most = max((x for points in series.values() for x, _ in points), default=1)
    if not any(len(points) > 1 for points in series.values()):
        return ""
    frame = Frame(width=720, height=440, right=170)
    right, bottom = frame.width - frame.right, frame.height - frame.bottom
    x = Axis.around([1, most], start=frame.left, end=right, margin=0.05, log=True)
    values = [y for points in series.values() for _, y in points]
    y = Axis.around(values, start=bottom, end=frame.top, margin=0.1)
    shown = {
        name: points if len(points) > 1 else [(1.0, points[0][1]), (most, points[0][1])]
        for name, points in series.items()
    }
    ends = {name: (x(points[-1][0]), y(points[-1][1])) for name, points in shown.items()}
    labels = place_labels(
        {name: shortened(name) for name in ends},
        ends,
        inside=(right, frame.top, frame.width, bottom),
    )
    body = [grid(frame, x, y, "frames", heading(_FIGURE))]
    for number, (name, points) in enumerate(shown.items()):
        places = [(x(a), y(b)) for a, b in points]
        marks = "".join(
            f'<circle cx="{left:.2f}" cy="{top:.2f}" r="3.5"><title>{escape(name)}, '
            f"{count:g} frames: {value:.4g}</title></circle>"
            for (left, top), (count, value) in zip(places, points, strict=True)
            if len(series[name]) > 1
        )
        label = labels[name]
        body.append(
            f'<g class="series s{number % SERIES}" data-method="{escape(name)}">'
            f"{polyline(places, 'curve')}{marks}"
            f'<text x="{label.x:.1f}" y="{label.y:.1f}">{escape(label.text)}</text></g>'
        )
    return svg(frame, f"{heading(_FIGURE)} over frames of {len(series)} methods", body)


def frame_series(means: Mapping[str, Figures]) -> dict[str, Points]:
    """Return (frames, PSNR) by method, by the number of frames.

    >>> frame_series({"map of 4": {"psnr": 30.0, "frames": 4}, "lanczos": {"psnr": 29.0}})
    {'map': [(4, 30.0)]}
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for name, figures in means.items():
        if "frames" in figures and math.isfinite(figures.get(_FIGURE, math.nan)):
            match = _OF.match(name)
            method = match["method"] if match else name
            found.setdefault(method, []).append((figures["frames"], figures[_FIGURE]))
    return {method: sorted(points) for method, points in found.items()}


def as_file(chart: str) -> str:
    """Return a chart as an SVG document that brings the page's style along."""
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    style += "svg { background: var(--paper); font-family: system-ui, sans-serif; }\n"
    head, rest = chart.split(">", 1)
    opening = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"')
    return f"{opening}><style>{escape(style, quote=False)}</style>{rest}\n"

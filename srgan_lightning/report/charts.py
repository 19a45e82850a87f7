"""The report's charts as inline SVG; colours and fonts come from the page's style."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import fmean

from srgan_lightning.report.axes import Axis
from srgan_lightning.report.labels import place_labels, shortened

Points = Sequence[tuple[float, float]]

POINTS_SHOWN = 300
LOG_RATIO = 30  # a loss that shrinks this much is drawn logarithmically
SERIES = 8  # colours in report.css
BLEND = re.compile(r"^(?P<before>.*)\balpha_(?P<alpha>\d+(?:\.\d+)?)(?P<after>.*)$")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A chart's pixels: its size, and the margins that hold ticks and titles."""

    width: int
    height: int
    left: int = 74
    right: int = 18
    top: int = 22
    bottom: int = 48


def scatter(points: Mapping[str, tuple[float, float]], *, x_title: str, y_title: str) -> str:
    """Draw labelled points; the points of a blend (…alpha_0.20…) are joined in order of alpha.

    Args:
        points: finite (x, y) by method.
        x_title: what x is.
        y_title: what y is.

    Returns:
        An `<svg>` element.
    """
    frame = Frame(width=720, height=440)
    x, y = _axes(frame, list(points.values()), margin=0.1)
    places = {name: (x(a), y(b)) for name, (a, b) in points.items()}
    curves = blends(list(points))
    joined = [polyline([places[name] for name in names], "blend") for names in curves.values()]
    taken = [spot for names in curves.values() for spot in _along([places[n] for n in names])]
    inside = (frame.left, frame.top, frame.width - frame.right, frame.height - frame.bottom)
    short = {name: f"α {alpha:g}" for names in curves.values() for name, alpha in names.items()}
    labels = place_labels(
        {name: short.get(name, shortened(name)) for name in points},
        places,
        inside=inside,
        taken=taken,
    )
    marks = []
    for name, (a, b) in points.items():
        left, top = places[name]
        kind = "point blended" if name in short else "point"
        label = labels[name]
        marks.append(
            f'<g class="{kind}" data-method="{escape(name)}">'
            f"<title>{escape(name)}: {a:.4g}, {b:.4g}</title>"
            f'<circle cx="{left:.2f}" cy="{top:.2f}" r="5"/>'
            f'<text x="{label.x:.1f}" y="{label.y:.1f}">{escape(label.text)}</text></g>'
        )
    title = f"{y_title} over {x_title} of {len(points)} methods"
    body = [grid(frame, x, y, x_title, y_title), *joined, *marks]
    return svg(frame, title, body)


def blends(names: Sequence[str]) -> dict[tuple[str, str], dict[str, float]]:
    """Find the blends of two networks among method names: name to alpha, by alpha.

    Example:
        >>> blends(["bicubic", "alpha_0.80.safetensors", "alpha_0.20.safetensors"])
        {('', '.safetensors'): {'alpha_0.20.safetensors': 0.2, 'alpha_0.80.safetensors': 0.8}}
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for name in names:
        if match := BLEND.match(name):
            blend = found.setdefault((match["before"], match["after"]), {})
            blend[name] = float(match["alpha"])
    return {
        key: dict(sorted(blend.items(), key=lambda item: item[1])) for key, blend in found.items()
    }


def curves(
    series: Mapping[str, tuple[int, Points]],
    *,
    y_title: str,
    stages: Sequence[tuple[str, int]] = (),
    total: float,
) -> str:
    """Draw figures over generator steps.

    Args:
        series: (number of its colour, (step, value) points) by run; at least one point.
        y_title: what the values are.
        stages: (name, first step); each but the one at 0 gets a border.
        total: the last step on the axis.

    Returns:
        An `<svg>` element.
    """
    frame = Frame(width=520, height=300)
    shown = {name: (number, thinned(points)) for name, (number, points) in series.items()}
    values = [value for _, points in shown.values() for _, value in points]
    log = min(values) > 0 and max(values) / min(values) > LOG_RATIO
    x = Axis(low=0, high=total, start=frame.left, end=frame.width - frame.right, count=5)
    y = Axis.around(values, start=frame.height - frame.bottom, end=frame.top, margin=0.06, log=log)
    body = [grid(frame, x, y, "generator steps", y_title)]
    for name, start in stages:
        if start:
            body.append(line("border", x(start), frame.top, x(start), y.start))
            body.append(
                f'<text class="stage-name" x="{x(start):.1f}" y="{frame.top - 7}">'
                f"{escape(shortened(name))}</text>"
            )
    for name, (number, points) in shown.items():
        last = points[-1]
        body.append(
            f'<g class="series s{number % SERIES}" data-run="{escape(name)}">'
            f"<title>{escape(name)}: {last[1]:.4g} at step {last[0]:g}</title>"
            f"{polyline([(x(a), y(b)) for a, b in points], 'curve')}"
            f'<circle cx="{x(last[0]):.2f}" cy="{y(last[1]):.2f}" r="3"/></g>'
        )
    title = f"{y_title} over generator steps of {len(series)} runs"
    return svg(frame, title, body)


def thinned(points: Points, *, limit: int = POINTS_SHOWN) -> list[tuple[float, float]]:
    """Return at most `limit` points: means of equally many neighbours.

    >>> thinned([(0, 1.0), (1, 3.0), (2, 5.0), (3, 7.0)], limit=2)
    [(0.5, 2.0), (2.5, 6.0)]
    """
    size = math.ceil(len(points) / limit)
    if size <= 1:
        return list(points)
    chunks = [points[at : at + size] for at in range(0, len(points), size)]
    return [(fmean(a for a, _ in chunk), fmean(b for _, b in chunk)) for chunk in chunks]


def _axes(frame: Frame, points: Points, *, margin: float) -> tuple[Axis, Axis]:
    x = Axis.around(
        [a for a, _ in points], start=frame.left, end=frame.width - frame.right, margin=margin
    )
    y = Axis.around(
        [b for _, b in points], start=frame.height - frame.bottom, end=frame.top, margin=margin
    )
    return x, y


def grid(frame: Frame, x: Axis, y: Axis, x_title: str, y_title: str) -> str:
    """Return both axes with their grids, ticks and titles."""
    right, bottom = frame.width - frame.right, frame.height - frame.bottom
    parts = []
    for tick in x.ticks():
        at = x(tick)
        parts.append(line("grid", at, frame.top, at, bottom))
        parts.append(f'<text class="tick x" x="{at:.2f}" y="{bottom + 18}">{x.label(tick)}</text>')
    for tick in y.ticks():
        at = y(tick)
        parts.append(line("grid", frame.left, at, right, at))
        parts.append(
            f'<text class="tick y" x="{frame.left - 8}" y="{at + 4:.2f}">{y.label(tick)}</text>'
        )
    parts.append(line("axis", frame.left, bottom, right, bottom))
    middle = (frame.left + right) / 2
    parts.append(
        f'<text class="title" x="{middle:.1f}" y="{frame.height - 8}">{escape(x_title)}</text>'
    )
    across = (frame.top + bottom) / 2
    parts.append(
        f'<text class="title" transform="translate(14 {across:.1f}) rotate(-90)">'
        f"{escape(y_title)}</text>"
    )
    return "".join(parts)


def _along(points: Points) -> list[tuple[float, float]]:
    """Return points closely along a polyline, for labels to keep off."""
    return [
        (a + (c - a) * part / 8, b + (d - b) * part / 8)
        for (a, b), (c, d) in pairwise(points)
        for part in range(1, 8)
    ]


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line of a class of the page's style."""
    return f'<line class="{kind}" x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"/>'


def polyline(points: Points, kind: str) -> str:
    """Return joined lines of a class of the page's style."""
    listed = " ".join(f"{a:.2f},{b:.2f}" for a, b in points)
    return f'<polyline class="{kind}" points="{listed}"/>'


def svg(frame: Frame, title: str, body: Sequence[str]) -> str:
    """Return a whole chart with its name for those who do not see it."""
    return (
        f'<svg class="chart" viewBox="0 0 {frame.width} {frame.height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(body)}</svg>'
    )

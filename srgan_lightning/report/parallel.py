"""A sweep's jobs as lines across one axis for each swept value, and one for what they reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from srgan_lightning.report.axes import Axis
from srgan_lightning.report.charts import LOG_RATIO, Frame, line, polyline, svg
from srgan_lightning.report.labels import shortened
from srgan_lightning.sweeps.importance import numbers

WRITTEN = 8  # as many different values are written at an axis one by one
LETTERS = 14


@dataclass(frozen=True, kw_only=True)
class Line:
    """One job.

    Attributes:
        name: what it is called.
        values: as they were given, in the order of the axes.
        reached: the objective, finite.
        quality: 0 for the worst job of the sweep to 1 for the best.
        finished: whether it got to its end; others reached this at an earlier step.
    """

    name: str
    values: Sequence[str]
    reached: float
    quality: float
    finished: bool


@dataclass(frozen=True)
class _Scale:
    """Where the values of an axis are, and what is written at it."""

    place: Callable[[str], float]
    labels: Sequence[tuple[float, str]]


def parallel(lines: Sequence[Line], *, axes: Sequence[str], objective: str) -> str:
    """Draw a line for each job, the better the stronger, dashed where it is not finished.

    A number has its place on its axis, logarithmic where the values span more than a factor
    of 30; a name has a place among the names, in the order in which they came.

    Args:
        lines: from the best to the worst.
        axes: what the values are called.
        objective: what the last axis is called.

    Returns:
        An `<svg>` element.
    """
    frame = Frame(width=720, height=340, left=70, right=96, top=24, bottom=40)
    top, bottom = frame.top, frame.height - frame.bottom
    room = frame.width - frame.left - frame.right
    spots = [frame.left + room * number / len(axes) for number in range(len(axes) + 1)]
    columns = [[one.values[number] for one in lines] for number in range(len(axes))]
    scales = [_scale(column, bottom, top) for column in columns]
    reached = [one.reached for one in lines]
    goal = Axis.around(reached, start=bottom, end=top, margin=0.04)
    scales.append(
        _Scale(lambda text: goal(float(text)), [(goal(t), goal.label(t)) for t in goal.ticks()])
    )
    body = []
    for one in reversed(lines):  # the best is drawn last, above the others
        texts = [*one.values, repr(one.reached)]
        points = [
            (x, scale.place(text)) for x, scale, text in zip(spots, scales, texts, strict=True)
        ]
        kind = "job" + " best" * (one is lines[0]) + " unfinished" * (not one.finished)
        body.append(
            f'<g class="{kind}" style="--quality:{one.quality:.3f}">'
            f"<title>{escape(one.name)}: {one.reached:.4g}</title>{polyline(points, 'line')}</g>"
        )
    for x, scale, name in zip(spots, scales, [*axes, objective], strict=True):
        body.append(line("axis", x, top, x, bottom))
        body += [
            f'<text class="tick at-axis" x="{x + 7:.1f}" y="{y + 4:.1f}">{escape(text)}</text>'
            for y, text in scale.labels
        ]
        body.append(
            f'<text class="title" x="{x:.1f}" y="{frame.height - 12}">'
            f"{escape(shortened(name))}</text>"
        )
    return svg(frame, f"{objective} of {len(lines)} jobs over {', '.join(axes)}", body)


def _scale(values: Sequence[str], bottom: float, top: float) -> _Scale:
    kinds = list(dict.fromkeys(values))
    known = numbers(values)
    if known is None:
        step = (bottom - top) / (len(kinds) + 1)
        places = {kind: bottom - step * number for number, kind in enumerate(kinds, start=1)}
        return _Scale(places.__getitem__, [(places[kind], _cut(kind)) for kind in kinds])
    log = min(known) > 0 and max(known) / min(known) >= LOG_RATIO
    axis = Axis.around(known, start=bottom, end=top, margin=0.08, log=log)
    labels = [(axis(tick), axis.label(tick)) for tick in axis.ticks()]
    if len(kinds) <= WRITTEN:
        labels = [(axis(float(kind)), kind) for kind in kinds]
    return _Scale(lambda text: axis(float(text)), labels)


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"

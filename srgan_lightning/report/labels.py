"""Labels beside points, each where it covers neither a point nor another label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ADVANCE, HEIGHT, GAP = 6.9, 15.0, 9.0  # of 12-pixel sans-serif text: per letter, per line
LONGEST = 34

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """A text and the left end of its baseline, in pixels."""

    text: str
    x: float
    y: float


def shortened(text: str) -> str:
    """Cut the middle out of a long text.

    >>> shortened("bicubic"), len(shortened("x" * 100))
    ('bicubic', 34)
    """
    if len(text) <= LONGEST:
        return text
    head = (LONGEST - 1) // 2
    return f"{text[:head]}…{text[head + 1 - LONGEST :]}"


def place_labels(
    texts: Mapping[str, str],
    points: Mapping[str, Point],
    *,
    inside: Box,
    taken: Sequence[Point] = (),
) -> dict[str, Label]:
    """Place each label where it overlaps least: right of its point if it can, else around it.

    Args:
        texts: by name.
        points: pixels, by the same names.
        inside: left, top, right and bottom of the chart.
        taken: further pixels to keep off.
    """
    boxes = [(x - 6, y - 6, x + 6, y + 6) for x, y in points.values()]
    boxes += [(x - 4, y - 4, x + 4, y + 4) for x, y in taken]
    placed = {}
    for name, text in texts.items():
        around = _around(points[name], len(text) * ADVANCE)
        best = min(around, key=lambda box: _cost(box, boxes, inside))
        boxes.append(best)
        placed[name] = Label(text, best[0], best[3] - 4)
    return placed


def _around(point: Point, width: float) -> list[Box]:
    """Return places for a label, the better ones first."""
    x, y = point
    boxes = []
    for far in (GAP, 2 * GAP, 3 * GAP):
        lefts_tops = [
            (x + far, y - HEIGHT / 2),
            (x - far - width, y - HEIGHT / 2),
            (x - width / 2, y - far - HEIGHT),
            (x - width / 2, y + far),
            (x + far * 0.7, y - far - HEIGHT / 2),
            (x + far * 0.7, y + far - HEIGHT / 2),
            (x - far * 0.7 - width, y - far - HEIGHT / 2),
            (x - far * 0.7 - width, y + far - HEIGHT / 2),
        ]
        boxes += [(left, top, left + width, top + HEIGHT) for left, top in lefts_tops]
    return boxes


def _cost(box: Box, taken: list[Box], inside: Box) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    outside = area - _overlap(box, inside)
    return 10 * outside + sum(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)

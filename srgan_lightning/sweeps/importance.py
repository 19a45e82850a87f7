"""How much each swept value matters: the share of the objective's variance that it explains."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

CLASSES = 3  # a drawn number is put into thirds: its values hardly repeat


@dataclass(frozen=True, kw_only=True)
class Importance:
    """The main effect of one swept value.

    Attributes:
        key: of the config.
        share: of the variance of the objective, 0 to 1: η², the correlation ratio squared.
        by_chance: the share that a value without any effect explains on average.
        classes: into how many classes of jobs it divides them.
    """

    key: str
    share: float
    by_chance: float
    classes: int


def importance(
    jobs: Sequence[tuple[Mapping[str, str], float]], keys: Sequence[str]
) -> list[Importance]:
    """Divide the jobs by each swept value and see how far the classes' means are apart.

    The share is the sum of squares between the classes over the total one, as in a one-way analysis
    of variance. On a full grid the shares of the keys add up to at most 1; the rest is interaction.
    Numbers of which more than half differ (drawn by a search) make three classes of equal size.
    k classes of n jobs explain (k − 1) / (n − 1) by chance.

    Args:
        jobs: of each its swept values by key, and its objective, finite.
        keys: which to judge.

    Returns:
        From the most to the least important; nothing where jobs are too few or all equal.
    """
    mean = fmean(objective for _, objective in jobs) if jobs else 0.0
    total = sum((objective - mean) ** 2 for _, objective in jobs)
    found = []
    for key in keys:
        classes = _classes([values.get(key, "") for values, _ in jobs])
        groups: dict[int, list[float]] = {}
        for label, (_, objective) in zip(classes, jobs, strict=True):
            groups.setdefault(label, []).append(objective)
        if not total or not 1 < len(groups) < len(jobs):
            continue
        between = sum(len(group) * (fmean(group) - mean) ** 2 for group in groups.values())
        found.append(
            Importance(
                key=key,
                share=between / total,
                by_chance=(len(groups) - 1) / (len(jobs) - 1),
                classes=len(groups),
            )
        )
    return sorted(found, key=lambda one: -one.share)


def numbers(values: Sequence[str]) -> list[float] | None:
    """Return values as numbers; None if one of them is none, or not finite.

    >>> numbers(["1e-4", "2"]), numbers(["1e-4", "rrdbnet"]), numbers(["1", "inf"])
    ([0.0001, 2.0], None, None)
    """
    try:
        found = [float(value) for value in values]
    except ValueError:
        return None
    return found if all(map(math.isfinite, found)) else None


def _classes(values: Sequence[str]) -> list[int]:
    """Number the class that each value belongs to."""
    known = numbers(values)
    kinds = list(dict.fromkeys(known if known is not None else values))
    if known is None or len(kinds) <= len(values) / 2:
        return [kinds.index(value) for value in (known if known is not None else values)]
    order = sorted(known)
    return [order.index(value) * CLASSES // len(order) for value in known]

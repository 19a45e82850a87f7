"""Evaluations brought together where they may be compared: one protocol, the same pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from srgan_lightning.errors import UserError
from srgan_lightning.report.figures import SPEED
from srgan_lightning.report.read import Evaluation, Folder, Method


@dataclass(frozen=True, kw_only=True)
class Group:
    """Methods measured by one protocol on the same pictures; only these share a table.

    Attributes:
        stamp: the protocol in one line.
        pictures: the names.
        methods: with distinct names.
        hr: saved HR pictures by name.
        lr: saved LR pictures by name.
    """

    stamp: str
    pictures: tuple[str, ...]
    methods: Sequence[Method]
    hr: Mapping[str, Path]
    lr: Mapping[str, Path]

    @property
    def figures(self) -> list[str]:
        """The names of the figures, in the order in which they came."""
        return list(dict.fromkeys(chain.from_iterable(method.means for method in self.methods)))


def group(folders: Sequence[Folder]) -> list[Group]:
    """Bring the evaluations of equal protocol and equal picture names together.

    A method that several folders measured with equal figures (bicubic, mostly) is kept once;
    different ones of one name are told apart by their folders.

    Raises:
        UserError: where HR or LR pictures of one name and protocol are not the same picture.
    """
    evaluations = [folder.evaluation for folder in folders if folder.evaluation is not None]
    alike: dict[tuple[str, tuple[str, ...]], list[Evaluation]] = {}
    for evaluation in evaluations:
        for pictures in {tuple(sorted(method.pictures)): None for method in evaluation.methods}:
            own = [m for m in evaluation.methods if tuple(sorted(m.pictures)) == pictures]
            alike.setdefault((evaluation.stamp, pictures), []).append(
                replace(evaluation, methods=own)
            )
    return [
        Group(
            stamp=stamp,
            pictures=pictures,
            methods=_distinct([m for evaluation in members for m in evaluation.methods]),
            hr=_agreed([evaluation.hr for evaluation in members], pictures),
            lr=_agreed([evaluation.lr for evaluation in members], pictures),
        )
        for (stamp, pictures), members in alike.items()
    ]


def _distinct(methods: Sequence[Method]) -> list[Method]:
    kept: list[Method] = []
    for method in methods:
        twin = next((i for i, other in enumerate(kept) if _equal(method, other)), None)
        if twin is None:
            kept.append(method)
        elif not kept[twin].files:
            kept[twin] = replace(kept[twin], files=method.files)
    names = [method.name for method in kept]
    return [
        replace(method, name=f"{method.name} ({method.origin})")
        if names.count(method.name) > 1
        else method
        for method in kept
    ]


def _equal(one: Method, other: Method) -> bool:
    """Say whether two methods have one name and, but for their speed, all figures in common."""
    return one.name == other.name and all(
        math.isclose(
            figures.get(name, math.nan), other.pictures[picture].get(name, math.nan), rel_tol=1e-9
        )
        for picture, figures in one.pictures.items()
        for name in figures.keys() | other.pictures[picture].keys()
        if name not in SPEED
    )


def _agreed(saved: Sequence[Mapping[str, Path]], pictures: Sequence[str]) -> dict[str, Path]:
    """Return one file for each name after proving that all files of that name are equal."""
    agreed: dict[str, Path] = {}
    for files in saved:
        for name in files.keys() & set(pictures):
            first = agreed.setdefault(name, files[name])
            if first != files[name] and first.read_bytes() != files[name].read_bytes():
                raise UserError(
                    f"{first} and {files[name]}: are different pictures of one name and protocol, "
                    "so their figures do not compare; make a report of each"
                )
    return agreed

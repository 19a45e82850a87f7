"""Evaluations brought together where they may be compared: one protocol, the same pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from srgan_lightning.errors import UserError
from srgan_lightning.report.figures import SPEED
from srgan_lightning.report.records import Evaluation, Folder, Method


@dataclass(frozen=True, kw_only=True)
class Group:
    """Methods measured by one protocol on the same pictures; only these share a table.

    Attributes:
        stamp: the protocol in one line.
        pictures: the names.
        methods: with distinct names.
        hr: saved HR pictures by name.
        lr: saved LR pictures by name.
        notes: what a reader of the figures must know.
    """

    stamp: str
    pictures: tuple[str, ...]
    methods: Sequence[Method]
    hr: Mapping[str, Path]
    lr: Mapping[str, Path]
    notes: Sequence[str]

    @property
    def figures(self) -> list[str]:
        """The names of the figures, in the order in which they came."""
        return list(dict.fromkeys(chain.from_iterable(method.means for method in self.methods)))


def group(folders: Sequence[Folder]) -> list[Group]:
    """Bring the evaluations of equal protocol and equal picture names together.

    A method that several folders measured alike (bicubic, mostly) is kept once;
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
            notes=list(dict.fromkeys(note for member in members for note in member.notes)),
        )
        for (stamp, pictures), members in alike.items()
    ]


def _distinct(methods: Sequence[Method]) -> list[Method]:
    kept: list[Method] = []
    for method in methods:
        twin = next((i for i, other in enumerate(kept) if _equal(method, other)), None)
        if twin is None:
            kept.append(method)
        else:
            fuller = max(kept[twin], method, key=lambda one: len(one.means))
            kept[twin] = replace(fuller, files=kept[twin].files or method.files)
    names = [method.name for method in kept]
    return [
        replace(method, name=f"{method.name} ({method.origin})")
        if names.count(method.name) > 1
        else method
        for method in kept
    ]


def _equal(one: Method, other: Method) -> bool:
    """Say whether two methods have one name and agree, but for speed, where both have figures."""
    return one.name == other.name and all(
        math.isclose(figures[name], other.pictures[picture][name], rel_tol=1e-9)
        for picture, figures in one.pictures.items()
        for name in figures.keys() & other.pictures[picture].keys() - SPEED
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

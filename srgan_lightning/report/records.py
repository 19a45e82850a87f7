"""What the report knows of a folder: its run, its evaluation, and their figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srgan_lightning.sweeps.overview import Overview

Figures = Mapping[str, float]
Curve = Sequence[tuple[int, float]]


@dataclass(frozen=True, kw_only=True)
class Method:
    """What one method reached in one evaluation.

    Attributes:
        name: what tables call it.
        means: over the pictures, by figure ("psnr", "ssim", …).
        deviations: of the means over several seeds; empty where there was one.
        pictures: the figures of each picture, by its name without suffix.
        files: the SR pictures that were saved, by the same names.
        origin: the label of the folder that it was read from.
    """

    name: str
    means: Figures
    deviations: Figures
    pictures: Mapping[str, Figures]
    files: Mapping[str, Path]
    origin: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a `figures.json` tells, and the pictures beside it.

    Attributes:
        stamp: the protocol in one line.
        methods: in the order of the file.
        hr: saved HR pictures by name, empty if none were saved.
        lr: saved LR pictures by name.
        notes: what a reader of the figures must know.
    """

    stamp: str
    methods: Sequence[Method]
    hr: Mapping[str, Path]
    lr: Mapping[str, Path]
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run's `metrics.csv` and `config.yaml` tell.

    Attributes:
        label: the folder's.
        curves: (generator step, value) by column, finite values only.
        stages: (name, first generator step) of each stage that was reached; empty if not known.
        generator: its registered name, if known.
    """

    label: str
    curves: Mapping[str, Curve]
    stages: Sequence[tuple[str, int]]
    generator: str | None

    @property
    def steps(self) -> int:
        """The last generator step that was logged."""
        return max((curve[-1][0] for curve in self.curves.values()), default=0)


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder that was put in; it has a run, an evaluation or both, or it is a sweep's.

    Attributes:
        sweep: how the sweep stands.
        jobs: the best of it that have begun, the best first.
    """

    path: Path
    label: str
    run: Run | None = None
    evaluation: Evaluation | None = None
    sweep: Overview | None = None
    jobs: Sequence["Folder"] = ()

"""How a sweep stands: its jobs with what sets them apart, ranked by what they reached."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.state import (
    SWEEP,
    Job,
    RunState,
    is_alive,
    is_waiting,
    read_state,
    read_sweep,
)

Status = Literal["finished", "running", "waiting", "pruned", "failed"]
STATUSES: tuple[Status, ...] = ("finished", "running", "waiting", "pruned", "failed")
KILLED = "it was killed"


@dataclass(frozen=True, kw_only=True)
class JobStanding:
    """How one job stands.

    Attributes:
        job: as `sweep.json` has it.
        folder: its run folder.
        status: a run whose process is gone has failed, one that Slurm will start again waits.
        reason: one line of why, empty for a job that is well.
        values: what sets it apart, by the whole key of the config.
        step: generator steps made.
        steps: generator steps of the whole schedule; 0 while not known.
        figures: of the last validation, NaN after divergence.
    """

    job: Job
    folder: Path
    status: Status
    reason: str
    values: Mapping[str, str]
    step: int
    steps: int
    figures: Mapping[str, float]

    @property
    def diverged(self) -> bool:
        """Whether the job's result is that it has none."""
        return any(math.isnan(value) for value in self.figures.values())


@dataclass(frozen=True, kw_only=True)
class Overview:
    """How a sweep stands.

    Attributes:
        folder: the sweep's.
        jobs: in their order.
        keys: those of the config whose values differ between jobs.
        objective: the figure that the jobs are ranked by.
        maximize: whether more of it is better.
    """

    folder: Path
    jobs: Sequence[JobStanding]
    keys: Sequence[str]
    objective: str
    maximize: bool

    @property
    def figures(self) -> list[str]:
        """The names of the figures that jobs have, the objective first."""
        names = dict.fromkeys(
            [self.objective, *(name for job in self.jobs for name in job.figures)]
        )
        return [name for name in names if any(name in job.figures for job in self.jobs)]

    @property
    def counts(self) -> dict[Status, int]:
        """How many jobs have each status; those that none has are left out."""
        found = [job.status for job in self.jobs]
        return {status: found.count(status) for status in STATUSES if status in found}

    def value(self, job: JobStanding) -> float:
        """Return a job's objective, NaN where it has none."""
        return job.figures.get(self.objective, math.nan)

    @property
    def ranked(self) -> list[JobStanding]:
        """Return the jobs from the best to the worst.

        Finished ones come first; then those that have a figure of an earlier step, which does not
        compare; then those without; those that diverged are last.
        """

        def place(job: JobStanding) -> tuple[bool, bool, bool, float]:
            value = self.value(job)
            known = math.isfinite(value)
            better = -value if self.maximize else value
            return (job.diverged, not known, job.status != "finished", better if known else 0.0)

        return sorted(self.jobs, key=place)


def look(folder: Path) -> Overview:
    """Look at a sweep, finished or not.

    Raises:
        UserError: the folder is not a sweep's, or a file in it is none of this program's.
    """
    sweep = read_sweep(folder)
    jobs = [_standing(folder / job.folder, job) for job in sweep.jobs]
    checkpoint = _checkpoint([job.folder for job in jobs])
    given = dict.fromkeys(key for job in jobs for key in job.values)
    return Overview(
        folder=folder,
        jobs=jobs,
        keys=[key for key in given if len({job.values.get(key) for job in jobs}) > 1],
        objective=str(checkpoint.get("monitor", "val/psnr")),
        maximize=checkpoint.get("mode", "max") == "max",
    )


def is_sweep(folder: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (folder / SWEEP).is_file()


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest ends of keys that tell them apart.

    >>> short_keys(["loss.pixel.weight", "loss.adversarial.weight", "seed"])
    {'loss.pixel.weight': 'pixel.weight', 'loss.adversarial.weight': 'adversarial.weight', \
'seed': 'seed'}
    """
    parts = {key: key.split(".") for key in keys}

    def end(key: str) -> str:
        others = [other for other in keys if other != key]
        lengths = range(1, len(parts[key]) + 1)
        ends = (".".join(parts[key][-length:]) for length in lengths)
        return next((e for e in ends if not any(f".{o}".endswith(f".{e}") for o in others)), key)

    return {key: end(key) for key in keys}


def _standing(folder: Path, job: Job) -> JobStanding:
    state = read_state(folder)
    status, reason = _status(folder, state)
    pairs = (override.lstrip("+").partition("=") for override in job.overrides)
    return JobStanding(
        job=job,
        folder=folder,
        status=status,
        reason=reason,
        values={key: value for key, _, value in pairs},
        step=state.step if state is not None else 0,
        steps=state.steps if state is not None else 0,
        figures=state.figures if state is not None else {},
    )


def _status(folder: Path, state: RunState | None) -> tuple[Status, str]:
    if state is None:
        return "waiting", "in Slurm's queue" if is_waiting(folder) else ""
    if state.state == "running":
        return ("running", "") if is_alive(state) else ("failed", KILLED)
    if state.state == "preempted":
        if is_alive(state):
            return "waiting", f"{state.reason}; in Slurm's queue"
        return "failed", f"{state.reason}; nobody goes on with it"
    return state.state, state.reason


def _checkpoint(folders: Sequence[Path]) -> Mapping[str, Any]:
    """Return the section of a run's config that says which figure counts."""
    for folder in folders:
        path = folder / "config.yaml"
        if path.is_file():
            try:
                config = yaml.safe_load(path.read_text())["config"]
                return dict(config.get("callbacks", {}).get("checkpoint", {}))
            except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
                raise UserError(f"{path}: is no config of a run") from None
    return {}

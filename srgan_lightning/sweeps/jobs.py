"""The jobs of a sweep: written down before they start, launched, and told of at the end."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.state import (
    SWEEP,
    Job,
    RunState,
    Sweep,
    is_alive,
    is_waiting,
    now,
    read_state,
    read_sweep,
    write_sweep,
)

SUBDIR = "hydra.sweep.subdir="
KILLED = "it was killed"


class Jobs(Launcher):
    """Any launcher, kept in the books.

    Before jobs start they stand in `sweep.json`. In a folder that holds the sweep already, what is
    finished is not launched again, and neither is what still runs. A job that fails is no
    exception here: the others go on, and `tell_failures` has the last word.

    Args:
        launcher: what launches.
        config: the sweep's config, Hydra's part included.
    """

    def __init__(self, launcher: Launcher, config: DictConfig) -> None:
        choices = config.hydra.runtime.choices
        self.launcher = launcher
        self.folder = Path(config.hydra.sweep.dir)
        self.fixed = _fixed(config.hydra.overrides.task)
        self.sweep = Sweep(
            created=now(),
            sweeper=choices["hydra/sweeper"],
            launcher=choices["hydra/launcher"],
        )
        if (self.folder / SWEEP).is_file():
            self.sweep = read_sweep(self.folder)
        self.told: dict[int, str] = {}

    def setup(self, **_: Any) -> None:
        """Do nothing: the launcher within is set up already."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Launch consecutive jobs, as Hydra's own sweepers ask; never raise for a job."""
        jobs = dict(enumerate(job_overrides, start=initial_job_idx))
        self.run(jobs)
        done = JobReturn()
        done.status, done.return_value = JobStatus.COMPLETED, None
        return [done for _ in jobs]

    def run(self, jobs: Mapping[int, Sequence[str]]) -> None:
        """Launch those of the jobs that have not come to an end, and wait for them.

        Args:
            jobs: number → all overrides.

        Raises:
            UserError: the folder holds another sweep.
        """
        self._write_down(jobs)
        due = {number: overrides for number, overrides in jobs.items() if self._is_due(number)}
        if not due:
            return
        placed = [[*overrides, f"{SUBDIR}{number}"] for number, overrides in due.items()]
        returns = self.launcher.launch(placed, initial_job_idx=min(due))
        for number, job_return in zip(due, returns, strict=True):
            if job_return.status == JobStatus.FAILED:
                self.told[number] = " ".join(str(job_return._return_value).split())

    def state(self, number: int) -> RunState | None:
        """Return how a job stands."""
        return read_state(self.folder / str(number))

    def tell_failures(self) -> None:
        """Print a line for each job that failed or diverged.

        Raises:
            UserError: all jobs failed of one and the same mistake.
            SystemExit: with status 1, if a job failed. One that diverged is a result.
        """
        failed = {}
        for job in self.sweep.jobs:
            state = self.state(job.number)
            if state is not None and state.state in ("finished", "pruned"):
                continue
            if self._is_at_work(job.number):
                print(f"job {job.number} ({job.label}) is still at work")  # noqa: T201
                continue
            reason = self._reason(job, state)
            if state is not None and state.diverged:
                say(f"job {job.number} ({job.label}) diverged: {reason}")
            else:
                failed[job] = reason
        if not failed:
            return
        if len(failed) == len(self.sweep.jobs) and {*failed.values()} == {reason} != {KILLED}:
            raise UserError(f"all jobs failed: {reason}")
        for job, reason in failed.items():
            say(f"job {job.number} ({job.label}) failed: {reason}")
        count = f"{len(failed)} of {len(self.sweep.jobs)} jobs failed"
        say(f"{count}; go on with: srgan sweep resume {self.folder}")
        raise SystemExit(1)

    def _reason(self, job: Job, state: RunState | None) -> str:
        own = state.reason if state is not None else ""
        return own or self.told.get(job.number) or KILLED

    def _write_down(self, jobs: Mapping[int, Sequence[str]]) -> None:
        known = {job.number: job for job in self.sweep.jobs}
        for number, overrides in jobs.items():
            apart = tuple(o for o in overrides if o not in self.fixed)
            job = Job(number=number, folder=str(number), overrides=apart)
            if known.setdefault(number, job) != job:
                raise UserError(
                    f"{self.folder}: holds another sweep, whose job {number} is "
                    f"{known[number].label}; take another hydra.sweep.dir"
                )
        sweep = replace(self.sweep, jobs=tuple(known[n] for n in sorted(known)))
        if sweep != self.sweep or not (self.folder / SWEEP).is_file():
            self.sweep = sweep
            write_sweep(self.folder, sweep)

    def _is_due(self, number: int) -> bool:
        state = self.state(number)
        if state is not None and (state.state in ("finished", "pruned") or state.diverged):
            return False
        return not self._is_at_work(number)

    def _is_at_work(self, number: int) -> bool:
        """Whether the job runs, or Slurm has it in its queue."""
        state = self.state(number)
        if state is None:
            return is_waiting(self.folder / str(number))
        return is_alive(state)


def _fixed(overrides: Sequence[str]) -> set[str]:
    """Return those overrides of a sweep that give one value, as sweepers hand them on."""
    last = {o.get_key_element(): o for o in OverridesParser.create().parse_overrides([*overrides])}
    return {
        f"{key}={override.get_value_element_as_str()}"
        for key, override in last.items()
        if not override.is_sweep_override()
    }


def take_apart(overrides: Sequence[str]) -> tuple[int, list[str]]:
    """Return the number of a job that `Jobs` launches, and its other overrides."""
    *others, place = overrides
    return int(place.removeprefix(SUBDIR)), others


def say(line: str) -> None:
    """Print a line for the user, apart from what is printed as a result."""
    print(f"srgan: {line}", file=sys.stderr)  # noqa: T201

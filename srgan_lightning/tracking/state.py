"""`state.json` of a run and `sweep.json` of a sweep: what goes on, seen from outside."""

import json
import math
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from srgan_lightning.errors import UserError

STATE = "state.json"
SWEEP = "sweep.json"
SLURM_JOB = "slurm_job"

State = Literal["running", "finished", "failed", "pruned", "preempted"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """How a run stands.

    Attributes:
        state: `preempted` is a run that saved itself and waits for Slurm to start it again. A run
            killed without warning stays `running`: ask `is_alive`.
        reason: one line of why, empty for a run that is well.
        step: generator steps made.
        steps: generator steps of the whole schedule.
        figures: the last validation's means, by name (`val/psnr` in dB); NaN after divergence.
        started: when this process took the run up, ISO 8601 with the zone.
        updated: when this was written.
        host: the machine.
        pid: the process on it.
        slurm_job: Slurm's name of the job (`12`, or `12_3` in an array), empty outside of Slurm.
    """

    state: State
    reason: str = ""
    step: int = 0
    steps: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    started: str
    updated: str
    host: str
    pid: int
    slurm_job: str = ""

    @property
    def diverged(self) -> bool:
        """Whether training itself failed, so that going on would only fail again."""
        return self.state == "failed" and any(math.isnan(v) for v in self.figures.values())


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a sweep.

    Attributes:
        number: its place in the sweep, from 0.
        folder: its run folder within the sweep's.
        overrides: what sets it apart from the others; what is fixed is in `multirun.yaml`.
    """

    number: int
    folder: str
    overrides: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its overrides without the paths of their keys, where that leaves no doubt.

        >>> Job(number=0, folder="0", overrides=("loss.adversarial.weight=1e-4", "seed=1")).label
        'weight=1e-4,seed=1'
        """
        keys = [override.partition("=")[0].lstrip("+") for override in self.overrides]
        short = [key.rpartition(".")[2] for key in keys]
        parts = [
            f"{last if short.count(last) == 1 else key}={_short(override.partition('=')[2])}"
            for override, key, last in zip(self.overrides, keys, short, strict=True)
        ]
        return ",".join(parts)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The jobs of a sweep, as far as they are known.

    Attributes:
        created: when the sweep began, ISO 8601 with the zone.
        sweeper: Hydra's `hydra/sweeper` choice.
        launcher: Hydra's `hydra/launcher` choice.
        jobs: a grid's are all known at its start, a search adds them batch by batch.
    """

    created: str
    sweeper: str
    launcher: str
    jobs: tuple[Job, ...] = ()


def _short(value: str) -> str:
    """Round a long number: a search draws all of its digits."""
    try:
        return f"{float(value):.4g}" if len(value) > len("1.234e-5") else value
    except ValueError:
        return value


def begin(*, steps: int = 0) -> RunState:
    """Return the state of a run that this process starts now."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    return RunState(
        state="running",
        steps=steps,
        started=now(),
        updated=now(),
        host=socket.gethostname(),
        pid=os.getpid(),
        slurm_job=f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", ""),
    )


def now() -> str:
    """Return the time, as these files have it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def write_state(folder: Path, state: RunState) -> RunState:
    """Write a run's `state.json`, whole or not at all; return it with the time of writing."""
    state = replace(state, updated=now())
    _write(folder / STATE, asdict(state))
    return state


def read_state(folder: Path) -> RunState | None:
    """Read a run's `state.json`; None where the run has not begun.

    Raises:
        UserError: the file is none of this program's.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    values = _read(path)
    try:
        figures = {k: math.nan if v is None else float(v) for k, v in values["figures"].items()}
        return RunState(**{**values, "figures": figures})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path}: not a state that srgan wrote") from None


def write_sweep(folder: Path, sweep: Sweep) -> None:
    """Write a sweep's `sweep.json`, whole or not at all."""
    _write(folder / SWEEP, asdict(sweep))


def read_sweep(folder: Path) -> Sweep:
    """Read a sweep's `sweep.json`.

    Raises:
        UserError: the folder is not a sweep's, or the file is none of this program's.
    """
    path = folder / SWEEP
    if not path.is_file():
        raise UserError(f"{folder}: this is not the folder of a sweep (no {SWEEP} in it)")
    values = _read(path)
    try:
        jobs = [Job(**{**job, "overrides": tuple(job["overrides"])}) for job in values["jobs"]]
        return Sweep(**{**values, "jobs": tuple(jobs)})
    except (KeyError, TypeError):
        raise UserError(f"{path}: not a list of jobs that srgan wrote") from None


def find_job(folder: Path) -> tuple[str, Job] | None:
    """Return the sweep's name and the job that a run folder belongs to; None outside of sweeps."""
    parent = folder.absolute().parent
    if not (parent / SWEEP).is_file():
        return None
    jobs = [job for job in read_sweep(parent).jobs if job.folder == folder.name]
    return (parent.name, jobs[0]) if jobs else None


def is_alive(state: RunState) -> bool:
    """Whether somebody is at work on a run: its process, or Slurm, which holds or queues its job.

    A process on another machine outside of Slurm cannot be seen; it counts as alive.
    """
    if state.state not in ("running", "preempted"):
        return False
    if state.slurm_job and shutil.which("squeue"):
        return is_in_queue(state.slurm_job)
    if state.host != socket.gethostname():
        return True
    try:
        os.kill(state.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_slurm_job(folder: Path, identifier: str) -> None:
    """Note which job of Slurm will make a run, before it begins."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SLURM_JOB).write_text(identifier)


def is_waiting(folder: Path) -> bool:
    """Whether Slurm's queue holds the job that will make a run."""
    note = folder / SLURM_JOB
    return note.is_file() and is_in_queue(note.read_text())


def is_in_queue(identifier: str) -> bool:
    """Whether Slurm's queue has a job, waiting or running, or does not answer just now.

    Without Slurm on this machine the answer is no.

    Args:
        identifier: Slurm's, `12`, or `12_3` in an array; `12` alone means all of the array.
    """
    if not shutil.which("squeue"):
        return False
    asked = subprocess.run(  # noqa: S603 - its words are one argument each
        ["squeue", "--noheader", "--jobs", identifier, "--format", "%T"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        return "Invalid job id" not in asked.stderr  # a job that Slurm has forgotten
    return bool(asked.stdout.split())


def _write(path: Path, values: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(_without_nan(values), indent=1))
    part.replace(path)


def _without_nan(value: Any) -> Any:
    """Write NaN as null: JSON has no word for it."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: not a file that srgan wrote")
    return values

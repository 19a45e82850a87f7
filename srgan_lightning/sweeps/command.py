"""A job of a sweep as a command of its own: an ordinary run in a folder of the sweep."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from srgan_lightning.sweeps.jobs import take_apart

OF_THE_SWEEP = (
    *("hydra/launcher=", "hydra.launcher.", "hydra/sweeper=", "hydra.sweeper."),
    *("hydra.sweep.", "hydra.run.", "hydra.mode="),
)


class CommandLauncher(Launcher):
    """A launcher whose jobs are commands."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take the sweep's config."""
        self.config = config


def run_arguments(config: DictConfig, overrides: Sequence[str]) -> list[str]:
    """Return what stands after `srgan` in the command that is one job.

    Args:
        config: the sweep's config, Hydra's part included.
        overrides: the job's, as `Jobs` hands them on.
    """
    number, own = take_apart(overrides)
    sources = config.hydra.runtime.config_sources
    given = [source.path for source in sources if source.provider == "command-line"]
    hydra = [str(o) for o in config.hydra.overrides.hydra]
    return [
        "train",
        *(["--config-dir", *given] if given else []),
        *own,
        *[override for override in hydra if not override.lstrip("+~").startswith(OF_THE_SWEEP)],
        f"hydra.job.num={number}",
        f'hydra.run.dir="{folder_of(config, number)}"',
    ]


def folder_of(config: DictConfig, number: int) -> Path:
    """Return the run folder of a job."""
    return Path(config.hydra.sweep.dir).absolute() / str(number)


def launched(failures: Sequence[str]) -> list[JobReturn]:
    """Return Hydra's account of jobs, an empty line for each that was well."""
    returns = []
    for failure in failures:
        job = JobReturn()
        job.status = JobStatus.FAILED if failure else JobStatus.COMPLETED
        job.return_value = failure or None
        returns.append(job)
    return returns

"""Jobs through submitit: as processes that outlive the terminal, or on a Slurm cluster."""

import runpy
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn

from srgan_lightning.errors import UserError
from srgan_lightning.sweeps.command import CommandLauncher, folder_of, launched, run_arguments
from srgan_lightning.sweeps.jobs import take_apart
from srgan_lightning.tracking.state import is_in_queue, write_slurm_job

LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True)
class Command:
    """`srgan` with its arguments, run inside the process that submitit starts.

    Attributes:
        arguments: what stands after `srgan`.
    """

    arguments: tuple[str, ...]

    def __call__(self) -> None:
        """Run it; Slurm sees the exit status."""
        sys.argv = ["srgan", *self.arguments]
        try:
            runpy.run_module("srgan_lightning", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                raise

    def checkpoint(self) -> Any:
        """Have submitit queue the same command again: it goes on from its checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class _SubmititLauncher(CommandLauncher):
    cluster: str

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit the jobs, several as one array, and wait until none is left."""
        numbers = [take_apart(overrides)[0] for overrides in job_overrides]
        commands = [Command(tuple(run_arguments(self.config, o))) for o in job_overrides]
        jobs = self._submit(commands)
        for number, job in zip(numbers, jobs, strict=True):
            folder = folder_of(self.config, number)
            print(f"job {number}: {job.job_id}, {job.paths.stdout}", flush=True)  # noqa: T201
            if self.cluster == "slurm":
                write_slurm_job(folder, job.job_id)
        return launched(self._wait(jobs))

    def _submit(self, commands: Sequence[Command]) -> list[Any]:
        try:
            import submitit
        except ImportError:
            raise UserError(
                f"hydra/launcher=submitit_{self.cluster}: needs submitit; "
                "pip install 'srgan-lightning[slurm]'"
            ) from None
        folder = Path(self.config.hydra.sweep.dir).absolute() / ".submitit" / "%j"
        own = {name: value for name, value in self.parameters.items() if value is not None}
        options = {f"slurm_{name}": own.pop(name) for name in ("max_num_timeout",) if name in own}
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster=self.cluster, **options)
            executor.update_parameters(**own)
            with executor.batch():  # an array of commands, each of which submitit may requeue
                return [executor.submit(command) for command in commands]
        except (submitit.core.utils.FailedJobError, RuntimeError, NameError, TypeError) as error:
            words = " ".join(str(error).split())
            raise UserError(f"hydra/launcher=submitit_{self.cluster}: {words}") from None

    def _wait(self, jobs: Sequence[Any]) -> list[str]:
        raise NotImplementedError


class SubmititLocalLauncher(_SubmititLauncher):
    """Runs all jobs at once as processes of this machine.

    Args:
        timeout_min: minutes after which a job is asked to save and stop.
        gpus_per_node: the first so many GPUs, for every job; null for none.
    """

    cluster = "local"

    def __init__(self, *, timeout_min: int, gpus_per_node: int | None) -> None:
        super().__init__(timeout_min=timeout_min, gpus_per_node=gpus_per_node)

    def _wait(self, jobs: Sequence[Any]) -> list[str]:
        while not all(job.done() for job in jobs):
            time.sleep(0.2)
        return [f"exit status {s}" if (s := job._process.wait()) else "" for job in jobs]


class SubmititSlurmLauncher(_SubmititLauncher):
    """Submits all jobs of a sweep as one Slurm array.

    Args:
        partition: where; null for the cluster's default, as for the next ones.
        account: on whose account.
        qos: quality of service.
        constraint: features that a node must have.
        nodes: nodes of a job, `trainer.num_nodes`.
        tasks_per_node: processes a node, `trainer.devices`.
        gpus_per_node: GPUs a node.
        cpus_per_task: cores a process.
        mem_gb: memory a node.
        timeout_min: time limit; a job that needs longer saves and is queued again.
        array_parallelism: jobs at once.
        signal_delay_s: seconds between the wish to save and the time limit.
        max_num_timeout: how often a job may be queued again for its time limit.
        name: the jobs' name.
        setup: lines of shell before the run.
        additional_parameters: any further options of sbatch.
    """

    cluster = "slurm"

    def __init__(
        self,
        *,
        partition: str | None,
        account: str | None,
        qos: str | None,
        constraint: str | None,
        nodes: int,
        tasks_per_node: int,
        gpus_per_node: int | None,
        cpus_per_task: int | None,
        mem_gb: float | None,
        timeout_min: int,
        array_parallelism: int,
        signal_delay_s: int,
        max_num_timeout: int,
        name: str,
        setup: Sequence[str] | None,
        additional_parameters: Mapping[str, Any],
    ) -> None:
        super().__init__(
            nodes=nodes,
            tasks_per_node=tasks_per_node,
            gpus_per_node=gpus_per_node,
            cpus_per_task=cpus_per_task,
            mem_gb=mem_gb,
            timeout_min=timeout_min,
            name=name,
            max_num_timeout=max_num_timeout,
            slurm_partition=partition,
            slurm_account=account,
            slurm_qos=qos,
            slurm_constraint=constraint,
            slurm_array_parallelism=array_parallelism,
            slurm_signal_delay_s=signal_delay_s,
            slurm_setup=list(setup) if setup else None,
            slurm_additional_parameters=dict(additional_parameters) or None,
        )

    def _wait(self, jobs: Sequence[Any]) -> list[str]:
        """Wait until Slurm's queue has none of the jobs.

        submitit itself asks sacct, which a cluster without accounting lacks, and would wait for a
        killed job for ever.
        """
        identifiers = {job.job_id.partition("_")[0] for job in jobs}
        pause = 1.0
        while any(is_in_queue(identifier) for identifier in identifiers):
            time.sleep(pause)
            pause = min(1.2 * pause, LONGEST_PAUSE_S)
        return ["" for _ in jobs]

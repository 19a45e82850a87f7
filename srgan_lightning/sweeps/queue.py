"""A queue on this machine: one job a device, the next as soon as a device is free."""

import os
import queue
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hydra.core.utils import JobReturn

from srgan_lightning.errors import UserError
from srgan_lightning.sweeps.command import CommandLauncher, folder_of, launched, run_arguments
from srgan_lightning.sweeps.jobs import take_apart


class QueueLauncher(CommandLauncher):
    """Starts each job as a process that sees one GPU, or has a share of the CPU's threads.

    Args:
        device: `gpu`, `cpu`, or `auto` for GPUs where there are any.
        slots: jobs at once; null for one a visible GPU, or one for every four cores.
    """

    def __init__(self, *, device: str, slots: int | None) -> None:
        self.device = device
        self.slots = slots
        self._running: set[subprocess.Popen[bytes]] = set()

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs, as many at once as there are places."""
        places = place_environments(self.device, self.slots)
        free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
        for place in places:
            free.put(place)

        def run(overrides: Sequence[str]) -> str:
            place = free.get()
            try:
                return self._run(overrides, place)
            finally:
                free.put(place)

        with ThreadPoolExecutor(len(places)) as pool:
            try:
                return launched(list(pool.map(run, job_overrides)))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(self._running):
                    process.terminate()
                raise

    def _run(self, overrides: Sequence[str], place: Mapping[str, str]) -> str:
        """Run one job; return what it died of, empty if it did not."""
        number, _ = take_apart(overrides)
        folder = folder_of(self.config, number)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"job {number}: {folder / 'output.log'}", flush=True)  # noqa: T201
        with (folder / "output.log").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "srgan_lightning", *run_arguments(self.config, overrides)],
                env={**os.environ, **place},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            self._running.add(process)
            try:
                status = process.wait()
            finally:
                self._running.discard(process)
        if status < 0:
            return f"killed by signal {-status}"
        return f"exit status {status}, see {folder / 'output.log'}" if status else ""


def place_environments(device: str, slots: int | None) -> list[dict[str, Any]]:
    """Return the environment of each place for a job.

    Args:
        device: `auto`, `gpu` or `cpu`.
        slots: how many places; null for all GPUs or a quarter of the cores.

    Raises:
        UserError: there is no GPU, there are fewer than asked for, or a value makes no sense.
    """
    if device not in ("auto", "gpu", "cpu"):
        raise UserError(f"hydra.launcher.device={device}: known: auto, cpu, gpu")
    if slots is not None and slots < 1:
        raise UserError(f"hydra.launcher.slots={slots}: at least one job at once")
    gpus = [] if device == "cpu" else visible_gpus()
    if device == "gpu" and not gpus:
        raise UserError("hydra.launcher.device=gpu: there is no visible GPU; take device=cpu")
    if gpus:
        if slots is not None and slots > len(gpus):
            raise UserError(f"hydra.launcher.slots={slots}: there are {len(gpus)} visible GPUs")
        cores = _cores() // len(gpus)
        return [_threads(cores) | {"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus[:slots]]
    count = slots or max(1, _cores() // 4)
    return [_threads(_cores() // count) for _ in range(count)]


def visible_gpus() -> list[str]:
    """Return the names by which CUDA knows the visible GPUs."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return named.split(",")[:count] if named else [str(number) for number in range(count)]


def _threads(cores: int) -> dict[str, str]:
    given = os.environ.get("OMP_NUM_THREADS")
    return {"OMP_NUM_THREADS": given or str(max(1, cores))}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

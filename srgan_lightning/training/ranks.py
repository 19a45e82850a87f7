"""The processes of a run on several devices: where one dies, the others end too, and say why."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import torch.distributed
from lightning_fabric.utilities.distributed import _set_num_threads_if_needed
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

from srgan_lightning.errors import UserError

STARTER = "SRGAN_LIGHTNING_STARTER"  # process id of the rank that started this one
PATIENCE = 10.0  # seconds for a process to notice by itself that another one is gone


class RanksLauncher(_SubprocessScriptLauncher):
    """Starts the further processes of a machine and ends with the first one that fails.

    Lightning's own would kill all without a word, in the middle of closing the loggers. Here the
    collective that broke (gloo tells at once) ends in a line about the process that is gone; where
    it does not break but waits (NCCL), the process is ended from outside.
    """

    def launch(
        self, function: Callable[..., Any], *args: Any, trainer: Any = None, **kwargs: Any
    ) -> Any:
        """Run `function` on all ranks.

        Raises:
            UserError: another rank is gone.
        """
        self.cluster_environment.validate_settings(
            num_devices=self.num_processes, num_nodes=self.num_nodes
        )
        if not self.cluster_environment.creates_processes_externally:
            os.environ[STARTER] = str(os.getpid())
            self._call_children_scripts()
        _set_num_threads_if_needed(num_processes=self.num_processes)
        self._ending = False
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            self._ending = True
            if not _tells_of_a_lost_rank(error):
                raise
            raise UserError(self._wait_for_the_lost()) from None
        finally:
            self._ending = True
            if isinstance(sys.exception(), Exception):
                self.kill(signal.SIGKILL)

    def lost(self) -> str | None:
        """Say which process of this machine is gone, and how; None while all are there."""
        started_by = os.environ.get(STARTER)
        if started_by not in (None, str(os.getpid()), str(os.getppid())):
            return "rank 0 is gone"
        for rank, process in enumerate(self.procs, start=1):
            code = process.poll()
            if code:
                return f"local rank {rank} {_how(code)}"
        return None

    def _wait_for_the_lost(self) -> str:
        """Name the process that is gone once it has ended, and let rank 0 speak first."""
        deadline = time.monotonic() + PATIENCE
        while (lost := self.lost()) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return _line(lost or "another process is gone")

    def _watch(self) -> None:
        while (lost := self.lost()) is None:
            if self._ending:
                return
            time.sleep(0.2)
        time.sleep(PATIENCE)
        if not self._ending:
            print(f"srgan: error: {_line(lost)}", file=sys.stderr, flush=True)  # noqa: T201
            self.kill(signal.SIGKILL)
            os._exit(2)


def _line(lost: str) -> str:
    return f"{lost}, and this run ends with it; `srgan train --resume RUN` goes on from last.ckpt"


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with status {code} (what it said stands above)"


def _tells_of_a_lost_rank(error: Exception) -> bool:
    return isinstance(error, torch.distributed.DistError) or "/gloo/" in str(error)

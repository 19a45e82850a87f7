"""The one owner of the signals that end a run from outside: save, then make way.

Slurm sends SIGTERM where it pre-empts, requeues or cancels a job; submitit has SIGUSR2 sent when
the time limit nears, and queues the job again when it is told. Both come at any moment, in the
middle of a step too, so a handler only takes note. The run saves where a step is complete.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import pytorch_lightning as pl

from srgan_lightning.training.module import SRGANModule

OWNED = (signal.SIGTERM, signal.SIGUSR2)


class Preempted(SystemExit):
    """A run that has saved itself and makes way.

    Args:
        signum: what was sent.
        step: the generator step that was saved.
        before: who owned the signal before the run did.
    """

    def __init__(self, signum: int, *, step: int, before: Any) -> None:
        super().__init__(128 + signum)
        self.signum = signum
        self.step = step
        self.before = before

    def __str__(self) -> str:
        return f"{signal.Signals(self.signum).name} at step {self.step}"

    def hand_on(self, failed: Callable[[str], None]) -> NoReturn:
        """Give SIGUSR2 to its former owner, submitit, which queues the job again and ends it.

        Args:
            failed: told why, where the job may not be queued again.
        """
        if self.signum == signal.SIGUSR2 and callable(self.before):
            try:
                self.before(self.signum, None)
            except Exception as refusal:  # noqa: BLE001 - submitit's own, which need not be there
                failed(f"{self}: {refusal}")
                raise self from None
        raise self


class Signals(pl.Callback):
    """Owns the signals while a run trains.

    Lightning's own handlers reduce over processes in the middle of whatever they interrupt; these
    replace them, and Lightning puts back what was there before.

    Args:
        every_n_steps: generator steps between two agreements of several processes, which have
            to stop at the same step.
    """

    def __init__(self, *, every_n_steps: int) -> None:
        self.every_n_steps = every_n_steps
        self.stopping = False
        self._received = 0
        self._before: dict[int, Any] = {}

    def setup(self, trainer: pl.Trainer, module: SRGANModule, stage: str) -> None:
        """Note who owns the signals before the fit, which is before Lightning does."""
        self._before = {number: signal.getsignal(number) for number in OWNED}

    def on_train_start(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Take the signals over."""
        if threading.current_thread() is threading.main_thread():
            for number in OWNED:
                signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def agree(self, trainer: pl.Trainer, module: SRGANModule) -> bool:
        """Whether the run stops after this step; the same for all of its processes."""
        if trainer.world_size == 1:
            self.stopping = bool(self._received)
        elif module.step % self.every_n_steps == 0:
            received = bool(self._received)
            self.stopping = trainer.strategy.reduce_boolean_decision(received, all=False)
        return self.stopping

    def stop(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """End the run if it was agreed to.

        Raises:
            Preempted: it was.
        """
        if not self.stopping:
            return
        for tracker in trainer.loggers:
            tracker.make_way()  # type: ignore[attr-defined]
        signum = self._received or signal.SIGTERM
        raise Preempted(signum, step=module.step, before=self._before.get(signum))

"""Tells an Optuna sweep how a trial goes, so that a hopeless one ends early."""

from pathlib import Path

import pytorch_lightning as pl

from srgan_lightning.sweeps.study import Pruned, TrialOfJob
from srgan_lightning.training.module import SRGANModule


class Pruning(pl.Callback):
    """Reports each validation to the sweep's study; outside of such sweeps it does nothing.

    Args:
        folder: the run folder.
        monitor: the figure to report.
    """

    def __init__(self, folder: Path, monitor: str) -> None:
        self.trial = TrialOfJob(folder.absolute())
        self.monitor = monitor

    def on_validation_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Report, and end the run if it is not worth going on with; all its processes agree.

        Raises:
            Pruned: it is not.
        """
        if trainer.sanity_checking:
            return
        reason = ""
        if trainer.is_global_zero:
            reason = self.trial.report(module.validation[self.monitor], step=module.step)
        if trainer.world_size > 1:
            reason = trainer.strategy.broadcast(reason)
        if reason:
            for tracker in trainer.loggers:
                tracker.close()  # type: ignore[attr-defined]
            raise Pruned(reason)

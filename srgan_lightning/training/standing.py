"""Keeps a run's `state.json` true, from its first moment to its last."""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only

from srgan_lightning.errors import UserError
from srgan_lightning.sweeps.study import Pruned
from srgan_lightning.tracking.state import RunState, begin, write_state
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.progress import Diverged
from srgan_lightning.training.signals import Preempted

SUBMITIT = -1  # its exit status where it has queued a job again, as during the report

log = logging.getLogger(__name__)


class Standing(pl.Callback):
    """Writes `state.json` at the start, at each validation, at each checkpoint and at the end.

    Args:
        folder: the run folder.

    Attributes:
        monitor: the figure that becomes NaN when training diverges.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.monitor = ""
        self.state: RunState = begin()
        self.write()

    @rank_zero_only
    def write(self, **changes: Any) -> None:
        """Change the state and write it; only one process of a run does."""
        self.state = write_state(self.folder, replace(self.state, **changes))

    def on_train_start(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Write where the run goes on from."""
        self._look(module)

    def on_validation_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Write the new figures."""
        if not trainer.sanity_checking:
            self._look(module)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: SRGANModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write how far a resumed run will not have to go again."""
        self._look(module)

    def on_train_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Write the last step."""
        self._look(module)

    def _look(self, module: SRGANModule) -> None:
        figures = dict(module.validation)
        self.write(step=module.step, steps=module.schedule.total, figures=figures)

    def finish(self, figures: Mapping[str, float]) -> None:
        """Write that the run is done."""
        self.write(state="finished", figures=dict(figures))


@contextmanager
def standing(folder: Path) -> Iterator[Standing]:
    """Lend a run its `Standing` and write down how the run ends if it does not end well."""
    told = Standing(folder)
    try:
        yield told
    except Pruned as end:
        told.write(state="pruned", reason=str(end))
        raise
    except Preempted as end:
        told.write(state="preempted", reason=str(end))
        end.hand_on(lambda reason: told.write(state="failed", reason=reason))
    except Diverged as end:
        figures = {**told.state.figures, told.monitor: math.nan}
        told.write(state="failed", reason=str(end), figures=figures)
        raise
    except UserError as end:
        told.write(state="failed", reason=str(end))
        raise
    except (KeyboardInterrupt, SystemExit) as end:
        requeued = isinstance(end, SystemExit) and end.code == SUBMITIT
        told.write(state="preempted" if requeued else "failed", reason="interrupted")
        raise
    except BaseException as end:
        words = " ".join(str(end).split())
        name = type(end).__name__
        told.write(state="failed", reason=f"{name}: {words}" if words else name)
        log.exception("the run failed")
        raise

"""Weights & Biases: one run a run folder, offline unless told otherwise."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import wandb
from numpy.typing import NDArray
from pytorch_lightning.utilities import rank_zero_only

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.tracking.lineage import ID, checkpoint_artifact, data_artifact, log_used

SUMMARIZED = ("val/psnr", "val/ssim")  # their best, not their last, is what wandb tables show


class WandbTracker(Tracker):
    """Logs to wandb with the generator step as x axis.

    Lightning's WandbLogger sets `WANDB_MODE` for the whole process when it is offline and lets
    two jobs of one process share a run; here every run is started, resumed and finished by
    itself. The run's id is kept in the run folder, so a resumed run goes on under it.

    Args:
        folder: the run folder.
        project: wandb's project.
        mode: `offline` needs no account; send later with `wandb sync`.
        config: the composed config, plain containers.
        name: the run's name.
        group: the sweep it belongs to.
        tags: free words.
    """

    def __init__(
        self,
        folder: Path,
        *,
        project: str,
        mode: Literal["offline", "online"],
        config: Mapping[str, Any],
        name: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._folder = folder
        self._mode: Literal["offline", "online"] = mode
        self._start = partial(
            wandb.init,
            project=project,
            mode=mode,
            config=dict(config),
            name=name,
            group=group,
            tags=list(tags),
        )
        self._run: Any = None

    @property
    def name(self) -> str:
        """The tracker's name."""
        return "wandb"

    @property
    def version(self) -> str:
        """The run's id, the same for every process and every resume of a run folder."""
        path = self._folder / ID
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(secrets.token_hex(4))
        return path.read_text().strip()

    @property
    def run(self) -> Any:
        """The wandb run, started at first use."""
        if self._run is None:
            if self._mode == "online" and not wandb.login(prompt=False):
                raise UserError(
                    "logger=wandb_online needs an account: run `wandb login` once, or use "
                    "logger=wandb (offline) and `wandb sync` later"
                )
            self._run = self._start(
                id=self.version,
                dir=self._folder,
                resume="allow" if self._mode == "online" else None,
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off"),
            )
            self._run.define_metric("generator_step")
            self._run.define_metric("*", step_metric="generator_step")
            for figure in SUMMARIZED:
                self._run.define_metric(figure, step_metric="generator_step", summary="max")
        return self._run

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log figures of generator step `step`."""
        self._tell(lambda run: run.log({"generator_step": step, **metrics}))

    @rank_zero_only
    def log_picture(self, name: str, picture: NDArray[np.uint8], *, step: int) -> None:
        """Log a picture `[H, W, 3]`."""
        image = wandb.Image(picture)
        self._tell(lambda run: run.log({"generator_step": step, name: image}))

    @rank_zero_only
    def log_data(self, about: Mapping[str, Any]) -> None:
        """Log the list of pictures as the artifact that the run was made of."""
        self._tell(lambda run: log_used(run, data_artifact(run, about)))

    @rank_zero_only
    def log_checkpoints(self) -> None:
        """Log the run's checkpoints as an artifact."""
        self._tell(lambda run: run.log_artifact(checkpoint_artifact(run, self._folder)))

    @rank_zero_only
    def make_way(self) -> None:
        """Have the run called preempted instead of failed."""
        self._tell(lambda run: run.mark_preempting())

    @rank_zero_only
    def close(self, *, exit_code: int = 0) -> None:
        """End the run."""
        if self._run is not None:
            self._tell(lambda run: run.finish(exit_code=exit_code))
            self._run = None

    def _tell(self, what: Callable[[Any], None]) -> None:
        """Tell the run something; if wandb's own process is gone, go on with another.

        Slurm sends SIGTERM to every process of a job that it pre-empts, and wandb's dies of it
        before the run has told it the rest.
        """
        try:
            what(self.run)
        except ConnectionError:
            with suppress(ConnectionError):
                wandb.teardown()
            self._run = None
            what(self.run)

"""Checkpoints: what lies in them, when they are written, and that they are written whole."""

import shutil
import time
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.networks.weights import save_generator
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.signals import Signals


class CheckpointConfig(BaseModel):
    """When to save.

    Attributes:
        every_n_steps: generator steps between two writings of `last.ckpt`; 0 for never.
        every_n_minutes: minutes after which `last.ckpt` is written anyway; 0 for never.
        monitor: the validation figure that decides what `best.ckpt` is, within the latest stage.
        mode: whether more or less of it is better.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    every_n_steps: NonNegativeInt = 1000
    every_n_minutes: NonNegativeFloat = 15.0
    monitor: str = "val/psnr"
    mode: Literal["max", "min"] = "max"


class Checkpoints(pl.Callback):
    """Keeps `last.ckpt` and `best.ckpt`, and the generators beside them.

    In the folder lie afterwards

    - `last.ckpt`: the newest state, to resume from;
    - `best.ckpt`: the state with the best monitored figure of the stage it was reached in;
    - `generator.safetensors`, `generator-best.safetensors`: the averaged generators of both;
    - `generator-STAGE.safetensors`: the averaged generator at the end of each finished stage.

    Each file is written under a temporary name and renamed; before writing, the free disk space
    is compared with what is needed.

    Args:
        folder: where to write.
        config: when to write.
        signals: who may ask the run to save and stop.
    """

    def __init__(self, folder: Path, config: CheckpointConfig, *, signals: Signals) -> None:
        self.folder = folder
        self.config = config
        self.signals = signals
        self.best: dict[str, Any] = {"stage": None, "value": None}
        self._saved_at = time.monotonic()
        self._due = False

    def state_dict(self) -> dict[str, Any]:
        """Remember the best figure across a resume."""
        return dict(self.best)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best figure."""
        self.best = dict(state_dict)

    def on_fit_start(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Refuse a figure that no validation will yield."""
        monitor = self.config.monitor
        known = [str(name) for name in module.metrics]
        if monitor not in known:
            raise UserError(
                f"callbacks.checkpoint.monitor: no figure {monitor!r}; {nearest(monitor, known)}"
            )

    def on_train_batch_end(self, trainer: pl.Trainer, module: SRGANModule, *_: object) -> None:
        """Save when a stage ends and when steps, minutes or a signal say so.

        Raises:
            Preempted: for a signal.
        """
        step, schedule = module.step, module.schedule
        stage = schedule.at(step - 1).stage
        if step == schedule.ends[stage]:
            self._save_generator(trainer, module, f"generator-{stage}", stage=stage)
        every = self.config.every_n_steps
        self._due = bool(every and step % every == 0) or step >= schedule.total
        self._due = self._due or self._is_late(trainer)
        self._due |= self.signals.agree(trainer, module)
        if self._due and not _validates(trainer, step):
            self.save(trainer, module, "last")
            self.signals.stop(trainer, module)

    def on_validation_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Save what was due at this step, with the figures; and the best of the stage."""
        if trainer.sanity_checking:
            return
        value = module.validation[self.config.monitor]
        stage = module.schedule.at(max(0, module.step - 1)).stage
        sign = 1 if self.config.mode == "max" else -1
        known = self.best["value"] if self.best["stage"] == stage else None
        if known is None or sign * value > sign * known:
            self.best = {"stage": stage, "value": value}
            self.save(trainer, module, "best")
        if self._due:
            self.save(trainer, module, "last")
        self.signals.stop(trainer, module)

    def save(self, trainer: pl.Trainer, module: SRGANModule, name: str) -> None:
        """Write `NAME.ckpt` and its generator.

        Raises:
            UserError: the disk is full; files written before stay as they are.
        """
        path = self.folder / f"{name}.ckpt"
        temporary = path.with_name(f".{path.name}.part")
        if trainer.is_global_zero:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_space(module)
        try:
            trainer.save_checkpoint(temporary)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UserError(f"{path}: {error.strerror or error}; {self._advice()}") from None
        if trainer.is_global_zero:
            temporary.replace(path)
        stage = module.schedule.at(max(0, module.step - 1)).stage
        stem = "generator" if name == "last" else f"generator-{name}"
        self._save_generator(trainer, module, stem, stage=stage)
        self._saved_at = time.monotonic()
        self._due = self._due and name != "last"

    def _save_generator(
        self, trainer: pl.Trainer, module: SRGANModule, stem: str, *, stage: str
    ) -> None:
        if not trainer.is_global_zero:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        config = module.record["config"]
        arguments = dict(config["generator"])
        save_generator(
            self.folder / f"{stem}.safetensors",
            module.ema.module.state_dict(),
            name=arguments.pop("name"),
            arguments=arguments,
            scale=config["scale"],
            facts={
                **module.record["facts"],
                "steps": module.step,
                "stage": stage,
                **module.validation,
            },
        )

    def _is_late(self, trainer: pl.Trainer) -> bool:
        minutes = self.config.every_n_minutes
        late = bool(minutes) and time.monotonic() - self._saved_at > 60 * minutes
        if minutes and trainer.world_size > 1:
            return bool(trainer.strategy.broadcast(late))
        return late

    def _check_space(self, module: SRGANModule) -> None:
        """Weights, their average and two moments each must fit on the disk."""
        needed = 3 * sum(p.numel() * p.element_size() for p in module.parameters())
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise UserError(
                f"{self.folder}: {free / 1e6:.0f} MB are free, a checkpoint takes up to "
                f"{needed / 1e6:.0f} MB; {self._advice()}"
            )

    def _advice(self) -> str:
        return f"free some space and go on with `srgan train --resume {self.folder.parent}`"


def _validates(trainer: pl.Trainer, step: int) -> bool:
    """Whether Lightning will validate after generator step `step`."""
    every = trainer.val_check_batch
    return trainer.enable_validation and isinstance(every, int) and step % every == 0

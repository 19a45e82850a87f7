"""The GAN step in the project's Trainer, and as a bare PyTorch loop."""

import copy
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from rich.console import Console
from torch import Tensor, nn

from srgan_lightning.config import check, compose
from srgan_lightning.data.batches import Pair, TrainBatch
from srgan_lightning.precision import Resolved, autocast
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.tracking.csv import CSVTracker
from srgan_lightning.training.build import (
    build_datamodule,
    build_module,
    build_trainer,
    quiet_lightning,
)
from srgan_lightning.training.checkpoints import Checkpoints
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.progress import Figures, ProgressBar
from srgan_lightning.training.signals import Signals

WARM_UP = 1  # steps before the clock starts: kernels are chosen, moments allocated
PAPER = ("experiment=srgan", "loss.content.features.weights=random")
TINY = (
    "experiment=srgan",
    "generator.blocks=1",
    "generator.width=8",
    "discriminator.width=4",
    "discriminator.hidden=8",
    "data.crop_size=32",
    "data.batch_size=2",
    "loss.content.layers=[relu1_2]",
    "loss.content.features.weights=random",
)


def compose_gan(*overrides: str) -> dict[str, Any]:
    """Compose a run that begins with its adversarial stage and validates nothing."""
    return compose(
        [
            "schedule.stages.pixel.steps=0",
            "trainer.val_every_n_steps=0",
            "callbacks.pictures_every_n_steps=0",
            *overrides,
        ]
    )


def random_batch(values: Mapping[str, Any], *, paired: bool) -> TrainBatch:
    """Make the crops of one generator step, as the loader hands them out."""
    size, count = values["data"]["crop_size"], values["data"]["batch_size"]
    generator = torch.Generator().manual_seed(0)

    def images(side: int) -> Tensor:
        pixels = torch.randint(256, (count, side, side, 3), generator=generator, dtype=torch.uint8)
        return pixels.permute(0, 3, 1, 2)

    return TrainBatch(images(size), images(size // values["scale"]) if paired else None, 0)


class Framework:
    """`srgan train` from the batch on: datamodule, Trainer, module, callbacks, CSV logger.

    Args:
        values: the run's config.
        resolved: precision and memory format.
        batch: the crops of every step.
    """

    def __init__(self, values: Mapping[str, Any], *, resolved: Resolved, batch: TrainBatch) -> None:
        self.config = check(TrainConfig, values)
        self.resolved = resolved
        self.batch = batch
        pl.seed_everything(0, verbose=False)
        self.datamodule = build_datamodule(self.config, channels_last=resolved.channels_last)
        self.module = build_module(self.config, values=values, facts={})
        self.module.to(memory_format=resolved.memory_format)

    def seconds(
        self,
        steps: int,
        *,
        trackers: Sequence[Tracker] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> float:
        """Train a few steps; returns the seconds of one.

        Args:
            steps: after the one that is not counted.
            trackers: the loggers; a CSV file if None.
            clock: what counts the seconds; the time of day if None.
        """
        watch = _Watch(self.batch, steps, clock or now)
        with tempfile.TemporaryDirectory() as folder, quiet_lightning(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
            trainer = build_trainer(
                self.config,
                self.resolved,
                loggers=[CSVTracker(Path(folder) / "metrics.csv")]
                if trackers is None
                else [*trackers],
                callbacks=[watch, *self._callbacks(Path(folder))],
            )
            trainer.fit(self.module, _Ready(self.datamodule, watch))
        return (watch.stopped - watch.started) / steps

    def _callbacks(self, folder: Path) -> list[pl.Callback]:
        figures = Figures(
            every_n_steps=self.config.trainer.log_every_n_steps,
            batch_size=self.config.data.batch_size,
            max_nonfinite=self.config.optim.max_nonfinite,
        )
        bar = ProgressBar(figures, console=Console(file=io.StringIO()))
        signals = Signals(every_n_steps=self.config.trainer.log_every_n_steps)
        checkpoints = self.config.callbacks.checkpoint
        return [figures, bar, signals, Checkpoints(folder, checkpoints, signals=signals)]


class _Watch(pl.Callback):
    """Hands out the batch again and again, and times all steps after the first."""

    def __init__(self, batch: TrainBatch, steps: int, clock: Callable[[], float]) -> None:
        self.batch = batch
        self.steps = steps
        self.clock = clock
        self.started = self.stopped = 0.0

    def __len__(self) -> int:
        return WARM_UP + self.steps

    def __iter__(self) -> Iterator[TrainBatch]:
        for index in range(len(self)):
            if index == WARM_UP:
                self.started = self.clock()
            yield self.batch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        self.stopped = self.clock()


class _Ready(pl.LightningDataModule):
    """The run's datamodule with a batch that is there already."""

    def __init__(self, datamodule: pl.LightningDataModule, batches: _Watch) -> None:
        super().__init__()
        self.batches = batches
        self.on_after_batch_transfer = datamodule.on_after_batch_transfer

    def train_dataloader(self) -> _Watch:
        """Return the batches."""
        return self.batches


class BareLoop:
    """The same arithmetic without any framework; it starts from copies of a module's networks.

    Args:
        framework: whose networks, losses and batch to take.
        device: where to compute.
    """

    def __init__(self, framework: Framework, device: torch.device) -> None:
        module: SRGANModule = framework.module
        assert module.discriminator is not None
        self.generator, self.discriminator, self.average = (
            copy.deepcopy(network).to(device)
            for network in (module.generator, module.discriminator, module.ema.module)
        )
        self.discriminator.train()
        self.generator.train()
        self.objective = copy.deepcopy(module.objective).to(device)
        self.weights = self.objective.weights
        self.batch = framework.batch
        self.prepare = framework.datamodule.on_after_batch_transfer
        self.precision = framework.resolved.precision
        self.device = device
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
            for network in (self.generator, self.discriminator)
        ]

    def seconds(self, steps: int) -> float:
        """Train a few steps; returns the seconds of one."""
        for index in range(WARM_UP + steps):
            if index == WARM_UP:
                started = now()
            hr, lr, step = self.batch
            batch = TrainBatch(hr.to(self.device), None if lr is None else lr.to(self.device), step)
            self.step(self.prepare(batch, 0))
        return (now() - started) / steps

    def step(self, pair: Pair) -> None:
        """One update of D, one of G, one of the average."""
        optimizer_g, optimizer_d = self.optimizers
        adversarial = self.objective.adversarial
        with autocast(self.precision, self.device):
            sr = self.generator(pair.lr)
            loss = adversarial.discriminator(
                self.discriminator(pair.hr), self.discriminator(sr.detach())
            )
        loss.backward()
        _apply(optimizer_d, self.discriminator)
        self.discriminator.requires_grad_(False)
        with autocast(self.precision, self.device):
            terms = self.objective.reconstruction(sr, pair.hr, adversarial=True)
            terms["adversarial"] = adversarial.generator(self.discriminator(sr), None)
            loss = self.objective.total(terms, adversarial=True, ramp=1.0)
        loss.backward()
        self.discriminator.requires_grad_(True)
        _apply(optimizer_g, self.generator)
        with torch.no_grad():
            mine, theirs = list(self.average.parameters()), list(self.generator.parameters())
            torch._foreach_lerp_(mine, theirs, 1e-3)
            for buffer, source in zip(
                self.average.buffers(), self.generator.buffers(), strict=True
            ):
                buffer.copy_(source)


def _apply(optimizer: torch.optim.Optimizer, network: nn.Module) -> None:
    nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def now() -> float:
    """Return the time in seconds, after all that a GPU still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()

"""The parts of a training run, built from its config."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException

from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.degradations import DEGRADATIONS, Burst
from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.networks.base import BurstGenerator, Generator
from srgan_lightning.networks.weights import load_generator
from srgan_lightning.precision import Resolved
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.tracking.csv import CSVTracker
from srgan_lightning.tracking.state import find_job
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.devices import NetworkDDPStrategy
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.objective import GeneratorObjective
from srgan_lightning.training.schedule import Schedule


def build_datamodule(config: TrainConfig, *, channels_last: bool = True) -> SRDataModule:
    """Build the datamodule of a run.

    Raises:
        UserError: a generator that fuses bursts gets none.
    """
    schedule = Schedule(config.schedule, max_steps=config.trainer.max_steps)
    degradation = DEGRADATIONS.build(
        config.degradation.name, config.degradation.arguments, scale=config.scale
    )
    kind = GENERATORS.get(config.generator.name)
    bursts = isinstance(kind, type) and issubclass(kind, BurstGenerator)
    if bursts and (not isinstance(degradation, Burst) or config.data.train.lr is not None):
        raise UserError(
            f"generator={config.generator.name}: learns from bursts; take degradation=burst, and "
            "data without LR"
        )
    return SRDataModule(
        config=config.data,
        degradation=degradation,
        seed=config.seed,
        total_steps=schedule.total,
        chunks=lambda step: schedule.chunks(step) * config.optim.accumulate,
        channels_last=channels_last,
        overfit=config.trainer.overfit,
        bursts=bursts,
    )


def build_module(
    config: TrainConfig, *, values: Mapping[str, Any], facts: Mapping[str, Any]
) -> SRGANModule:
    """Build the training module of a run.

    Args:
        config: the checked config.
        values: the same as plain containers, to travel inside checkpoints.
        facts: what else shall travel along.
    """
    schedule = Schedule(config.schedule, max_steps=config.trainer.max_steps)
    generator = GENERATORS.build(
        config.generator.name, config.generator.arguments, scale=config.scale
    )
    if config.init_from != "none":
        _take_weights(generator, config.init_from)
    discriminator = None
    if schedule.adversarial:
        discriminator = DISCRIMINATORS.build(
            config.discriminator.name,
            config.discriminator.arguments,
            crop_size=config.data.crop_size,
        )
    if config.trainer.compile:
        for network in (generator, discriminator):
            if network is not None:
                network.compile()
    objective = GeneratorObjective(config.loss, adversarial=schedule.adversarial)
    return SRGANModule(
        generator=generator,
        discriminator=discriminator,
        objective=objective,
        schedule=schedule,
        optim=config.optim,
        crop=config.scale,
        seed=config.seed,
        record={
            "config": dict(values),
            "facts": {**facts, "features": objective.features_source},
        },
    )


def _take_weights(generator: Generator, path: str) -> None:
    given, _ = load_generator(path)
    try:
        generator.load_state_dict(given.state_dict())
    except RuntimeError:
        raise UserError(
            f"init_from={path}: its weights do not fit this generator; take init_from=none, or the "
            "same generator=… options as the run that made them (its config.yaml has them)"
        ) from None


def build_trackers(
    config: TrainConfig,
    values: Mapping[str, Any],
    folder: Path,
    saved: Mapping[str, Any] | None,
) -> list[Tracker]:
    """Build the trackers of a run; a resumed one goes on with its files.

    The run of a sweep is named by what sets it apart and grouped by the sweep's folder.
    """
    loggers: list[Tracker] = []
    group, job = find_job(folder) or (None, None)
    step = saved["step"] if saved is not None else 0
    if config.logger.csv:
        loggers.append(CSVTracker(folder / "metrics.csv", resume_step=step))
    if config.logger.tensorboard:
        from srgan_lightning.tracking.tensorboard import TensorBoardTracker

        loggers.append(TensorBoardTracker(folder, config=values, resume_step=step))
    if config.logger.wandb != "none":
        from srgan_lightning.tracking.wandb import WandbTracker

        loggers.append(
            WandbTracker(
                folder,
                project=config.logger.project,
                mode=config.logger.wandb,
                config=values,
                name=config.logger.name or (job.label if job is not None else None),
                group=config.logger.group or group,
                tags=config.logger.tags,
            )
        )
    return loggers


def build_trainer(
    config: TrainConfig, resolved: Resolved, *, loggers: list[Tracker], callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Build Lightning's Trainer: one epoch is the whole run, one batch one generator step.

    Raises:
        UserError: for a strategy or a number of devices that Lightning refuses.
    """
    validate = config.trainer.val_every_n_steps
    several = (config.trainer.devices, config.trainer.num_nodes) != (1, 1)
    try:
        trainer = pl.Trainer(
            accelerator=config.trainer.accelerator,
            devices=config.trainer.devices,
            num_nodes=config.trainer.num_nodes,
            strategy=NetworkDDPStrategy() if several else "auto",
            sync_batchnorm=config.trainer.sync_batchnorm,
            precision=resolved.precision,
            max_epochs=1,
            check_val_every_n_epoch=None,
            val_check_interval=validate or None,
            limit_val_batches=None if validate else 0,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            use_distributed_sampler=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            profiler=config.trainer.profiler,
            logger=loggers,
            callbacks=callbacks,
        )
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from None
    gpus = trainer.world_size if trainer.strategy.root_device.type == "cuda" else 0
    if config.trainer.sync_batchnorm and gpus < 2:
        raise UserError(
            "trainer.sync_batchnorm: works between several GPUs only; take trainer=ddp, or a "
            "network without BatchNorm (generator.norm=none discriminator.norm=none)"
        )
    return trainer


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's remarks away that are wrong for this design."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for message in (
            r"The '.*_dataloader' does not have many workers",  # the loader is not the bottleneck
            r"You're resuming from a checkpoint that ended before the epoch",  # the sampler resumes
            r"Found \d+ module\(s\) in eval mode",  # the average stays in it, on purpose
            r"GPU available but not used",
            r"The `srun` command is available",  # on a cluster's machines, for runs without it
            r".*`isinstance\(treespec, LeafSpec\)` is deprecated",  # Lightning on torch 2.14
        ):
            warnings.filterwarnings("ignore", message)
        yield

"""A training run from its config to its results."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

from srgan_lightning.config import check, import_plugins
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.networks.base import Generator
from srgan_lightning.networks.weights import load_generator
from srgan_lightning.precision import Resolved, resolve_device, resolve_precision
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.tracking.csv import CSVTracker
from srgan_lightning.training.checkpoints import Checkpoints
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.objective import GeneratorObjective
from srgan_lightning.training.pictures import Pictures
from srgan_lightning.training.progress import Figures, ProgressBar
from srgan_lightning.training.report import report
from srgan_lightning.training.resume import LAST, check_same_networks, read_checkpoint
from srgan_lightning.training.schedule import Schedule

PRECISION_VARIABLE = "SRGAN_LIGHTNING_PRECISION"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run leaves behind.

    Attributes:
        folder: the run folder.
        figures: the last validation's means, by name (`val/psnr` in dB).
        objective: the monitored figure, NaN where there was no validation.
    """

    folder: Path
    figures: Mapping[str, float]
    objective: float


def run(values: Mapping[str, Any], *, folder: Path, console: Console | None = None) -> Result:
    """Train as a config says, or go on where the run in `folder` stopped.

    Args:
        values: the composed config, plain containers.
        folder: the run folder; a `checkpoints/last.ckpt` in it is resumed.
        console: where to draw progress and results.

    Raises:
        UserError: for a mistake in the config or in a file that it names, and for a run that
            diverges.
    """
    console = console or Console()
    config = check(TrainConfig, values)
    import_plugins(config.plugins)
    last = folder / LAST
    saved = read_checkpoint(last) if last.is_file() else None
    if saved is not None:
        check_same_networks(saved, dict(values))
    resolved = _resolve_precision(config, saved)
    pl.seed_everything(config.seed, verbose=False)

    datamodule = build_datamodule(config, channels_last=resolved.channels_last)
    facts = _facts(config, resolved, datamodule)
    module = build_module(config, values=values, facts=facts)
    module.to(memory_format=resolved.memory_format)
    loggers = _build_loggers(config, values, folder, saved)
    _save_config(folder, module.record)
    _announce(console, module, saved, folder)
    figures = Figures(
        every_n_steps=config.trainer.log_every_n_steps,
        batch_size=config.data.batch_size * config.optim.accumulate,
        max_nonfinite=config.optim.max_nonfinite,
    )
    pictures = Pictures(
        folder / "pictures",
        datamodule,
        loggers,
        every_n_steps=config.callbacks.pictures_every_n_steps,
        count=config.callbacks.pictures,
    )
    with quiet_lightning():
        trainer = build_trainer(
            config,
            resolved,
            loggers=loggers,
            callbacks=[
                figures,
                ProgressBar(figures, console=console),
                pictures,
                Checkpoints(folder / LAST.parent, config.callbacks.checkpoint),
            ],
        )
        exit_code = 1
        try:
            trainer.fit(module, datamodule, ckpt_path=str(last) if saved is not None else None)
            if trainer.is_global_zero:
                report(module, datamodule, folder=folder, loggers=loggers, console=console)
            exit_code = 0
        except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
            if (folder / LAST).is_file():
                console.print(
                    f"stopped; go on with: srgan train --resume {folder}",
                    highlight=False,
                    soft_wrap=True,
                )
            raise
        finally:
            for logger in loggers:
                logger.close(exit_code=exit_code)
    monitored = module.validation.get(config.callbacks.checkpoint.monitor, float("nan"))
    return Result(folder=folder, figures=dict(module.validation), objective=monitored)


def build_datamodule(config: TrainConfig, *, channels_last: bool = True) -> SRDataModule:
    """Build the datamodule of a run."""
    schedule = Schedule(config.schedule, max_steps=config.trainer.max_steps)
    degradation = DEGRADATIONS.build(
        config.degradation.name, config.degradation.arguments, scale=config.scale
    )
    return SRDataModule(
        config=config.data,
        degradation=degradation,
        seed=config.seed,
        total_steps=schedule.total,
        chunks=lambda step: schedule.chunks(step) * config.optim.accumulate,
        channels_last=channels_last,
        overfit=config.trainer.overfit,
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
            config.discriminator.name, config.discriminator.arguments
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
            f"init_from={path}: its weights do not fit this generator; take the same generator=… "
            "options as the run that made it (its config.yaml has them)"
        ) from None


def _resolve_precision(config: TrainConfig, saved: Mapping[str, Any] | None) -> Resolved:
    """Resolve `auto` once a run: a resumed run and every DDP process take what was resolved."""
    if saved is not None:
        facts = saved["facts"]
        return Resolved(facts["precision"], facts["channels_last"], facts["precision_reason"])
    if PRECISION_VARIABLE in os.environ and int(os.environ.get("LOCAL_RANK", 0)) > 0:
        precision, layout = os.environ[PRECISION_VARIABLE].split()
        return Resolved(precision, layout == "channels_last", "as rank 0 resolved")  # type: ignore[arg-type]
    names = {"gpu": "cuda"}
    accelerator = config.trainer.accelerator
    device = resolve_device(names.get(accelerator, accelerator))
    resolved = resolve_precision(config.trainer.precision, device)
    layout = "channels_last" if resolved.channels_last else "contiguous"
    os.environ[PRECISION_VARIABLE] = f"{resolved.precision} {layout}"
    return resolved


def _facts(config: TrainConfig, resolved: Resolved, datamodule: SRDataModule) -> dict[str, Any]:
    return {
        "program": f"srgan-lightning {version('srgan-lightning')}",
        "torch": str(torch.__version__),
        "degradation": datamodule.degradation.describe(),
        "precision": resolved.precision,
        "channels_last": resolved.channels_last,
        "precision_reason": resolved.reason,
        "seed": config.seed,
        "init_from": config.init_from,
        "training_pictures": len(datamodule.train_names),
    }


def _build_loggers(
    config: TrainConfig,
    values: Mapping[str, Any],
    folder: Path,
    saved: Mapping[str, Any] | None,
) -> list[Tracker]:
    loggers: list[Tracker] = []
    step = saved["step"] if saved is not None else 0
    if config.logger.csv:
        loggers.append(CSVTracker(folder / "metrics.csv", resume_step=step))
    if config.logger.wandb != "none":
        from srgan_lightning.tracking.wandb import WandbTracker

        loggers.append(
            WandbTracker(
                folder,
                project=config.logger.project,
                mode=config.logger.wandb,
                config=values,
                name=config.logger.name,
                group=config.logger.group,
                tags=config.logger.tags,
            )
        )
    return loggers


def build_trainer(
    config: TrainConfig, resolved: Resolved, *, loggers: list[Tracker], callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Build Lightning's Trainer: one epoch is the whole run, one batch one generator step."""
    validate = config.trainer.val_every_n_steps
    return pl.Trainer(
        accelerator=config.trainer.accelerator,
        devices=config.trainer.devices,
        num_nodes=config.trainer.num_nodes,
        strategy=config.trainer.strategy,
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


@rank_zero_only
def _save_config(folder: Path, record: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".config.yaml.part"
    temporary.write_text(yaml.safe_dump(dict(record), sort_keys=False))
    temporary.replace(folder / "config.yaml")


@rank_zero_only
def _announce(
    console: Console, module: SRGANModule, saved: Mapping[str, Any] | None, folder: Path
) -> None:
    facts = module.record["facts"]
    parameters = sum(p.numel() for p in module.generator.parameters())
    console.print(f"run folder   {folder}", highlight=False, soft_wrap=True)
    console.print(
        f"generator    {module.record['config']['generator']['name']}, {parameters:,} parameters",
        highlight=False,
    )
    console.print(f"degradation  {facts['degradation']}", highlight=False)
    console.print(
        f"precision    {facts['precision']} ({facts['precision_reason']})", highlight=False
    )
    if facts["features"]:
        console.print(f"features     {facts['features']}", highlight=False)
    if saved is not None:
        console.print(f"resuming at generator step {saved['step']}", highlight=False)


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
            r".*`isinstance\(treespec, LeafSpec\)` is deprecated",  # Lightning on torch 2.14
        ):
            warnings.filterwarnings("ignore", message)
        yield

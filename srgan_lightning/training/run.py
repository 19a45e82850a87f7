"""A training run from its config to its results."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.config import check, import_plugins
from srgan_lightning.precision import Resolved, resolve_device, resolve_precision
from srgan_lightning.training.build import (
    build_datamodule,
    build_module,
    build_trackers,
    build_trainer,
    quiet_lightning,
)
from srgan_lightning.training.checkpoints import Checkpoints
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.fitting import find_fitted, run_fit
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.pictures import Pictures
from srgan_lightning.training.progress import Figures, ProgressBar
from srgan_lightning.training.pruning import Pruning
from srgan_lightning.training.record import Result, about_data, facts_of, save_config
from srgan_lightning.training.report import generators_of, report
from srgan_lightning.training.resume import LAST, check_same_networks, read_checkpoint
from srgan_lightning.training.signals import Signals
from srgan_lightning.training.standing import Standing, standing

PRECISION_VARIABLE = "SRGAN_LIGHTNING_PRECISION"


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
    with standing(folder) as told:
        config = check(TrainConfig, values)
        told.monitor = config.callbacks.checkpoint.monitor
        import_plugins(config.plugins)
        fitted = find_fitted(config)
        if fitted is not None:
            result = run_fit(fitted, config, values, folder=folder, console=console)
        else:
            result = _train(config, values, folder=folder, console=console, told=told)
        told.finish(result.figures)
    return result


def _train(
    config: TrainConfig,
    values: Mapping[str, Any],
    *,
    folder: Path,
    console: Console,
    told: Standing,
) -> Result:
    last = folder / LAST
    saved = read_checkpoint(last) if last.is_file() else None
    if saved is not None:
        check_same_networks(saved, dict(values))
    resolved = _resolve_precision(config, saved)
    pl.seed_everything(config.seed, verbose=False)
    keep_freed_memory()

    datamodule = build_datamodule(config, channels_last=resolved.channels_last)
    facts = facts_of(config, resolved, datamodule)
    module = build_module(config, values=values, facts=facts)
    module.to(memory_format=resolved.memory_format)
    loggers = build_trackers(config, values, folder, saved)
    save_config(folder, module.record)
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
    signals = Signals(every_n_steps=config.trainer.log_every_n_steps)
    checkpoints = config.callbacks.checkpoint
    with quiet_lightning():
        trainer = build_trainer(
            config,
            resolved,
            loggers=loggers,
            callbacks=[
                figures,
                ProgressBar(figures, console=console),
                pictures,
                signals,
                told,
                Checkpoints(folder / LAST.parent, checkpoints, signals=signals),
                Pruning(folder, checkpoints.monitor),
            ],
        )
        exit_code = 1
        try:
            for logger in loggers:
                logger.log_data(about_data(datamodule))
            trainer.fit(module, datamodule, ckpt_path=str(last) if saved is not None else None)
            if trainer.is_global_zero:
                profile = trainer.profiler.summary()  # type: ignore[attr-defined]
                console.out(profile, end="", highlight=False)
                report(
                    generators_of(config.init_from, module.schedule, folder),
                    datamodule,
                    step=module.step,
                    folder=folder,
                    loggers=loggers,
                    console=console,
                )
            for logger in loggers:
                logger.log_checkpoints()
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
    monitored = module.validation.get(checkpoints.monitor, float("nan"))
    return Result(folder=folder, figures=dict(module.validation), objective=monitored)


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
        f"precision    {facts['precision']} ({facts['precision_reason']})",
        highlight=False,
        soft_wrap=True,
    )
    if facts["features"]:
        console.print(f"features     {facts['features']}", highlight=False)
    if saved is not None:
        console.print(f"resuming at generator step {saved['step']}", highlight=False)

"""A run whose generator is fitted in one go instead of trained step by step."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from srgan_lightning.classical import FittedGenerator
from srgan_lightning.data.batches import Pair
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS
from srgan_lightning.networks.weights import save_generator
from srgan_lightning.precision import Resolved
from srgan_lightning.training.build import build_datamodule, build_trackers
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.record import Result, facts_of, save_config
from srgan_lightning.training.report import report

RESOLVED = Resolved("32-true", False, "fitted on the CPU")
STAGE = "fit"


def find_fitted(config: TrainConfig) -> FittedGenerator | None:
    """Return the generator of a run that fits, and None for a run that trains.

    Raises:
        UserError: for a generator that has nothing to fit or to train.
    """
    name = config.generator.name
    generator = GENERATORS.build(name, config.generator.arguments, scale=config.scale)
    if isinstance(generator, FittedGenerator):
        return generator
    if not any(True for _ in generator.parameters()):
        raise UserError(
            f"generator={name}: has nothing to train; use it by its name, as in "
            f"`srgan evaluate model={name}`"
        )
    return None


def run_fit(
    generator: FittedGenerator,
    config: TrainConfig,
    values: Mapping[str, Any],
    *,
    folder: Path,
    console: Console,
) -> Result:
    """Fit a generator to crops of the training pictures and report as every run does.

    Into the run folder go `config.yaml`, `checkpoints/generator.safetensors` and the report's
    files. There is no checkpoint: the run started again fits again, to the same result.

    Args:
        generator: what to fit.
        config: the checked config.
        values: the same as plain containers.
        folder: the run folder.
        console: where to draw progress and results.

    Raises:
        UserError: for data that are missing or unfit, and where `init_from` is given.
    """
    if config.init_from != "none":
        raise UserError(
            f"init_from={config.init_from}: {config.generator.name} is fitted afresh; take "
            "init_from=none"
        )
    pl.seed_everything(config.seed, verbose=False)
    datamodule = build_datamodule(config, channels_last=False)
    record = {"config": dict(values), "facts": facts_of(config, RESOLVED, datamodule)}
    loggers = build_trackers(config, values, folder, None)
    save_config(folder, record)
    for line in (
        f"run folder   {folder}",
        f"generator    {config.generator.name}, fitted, not trained",
        f"degradation  {record['facts']['degradation']}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    exit_code = 1
    try:
        _fit(generator, datamodule, console)
        path = folder / "checkpoints" / "generator.safetensors"
        _save(path, generator, record)
        table = report(
            {"fitted": path}, datamodule, step=0, folder=folder, loggers=loggers, console=console
        )
        exit_code = 0
    finally:
        for logger in loggers:
            logger.close(exit_code=exit_code)
    means = table.mean("fitted") if table is not None else {}
    figures = {f"val/{name}": value for name, value in means.items()}
    monitored = figures.get(config.callbacks.checkpoint.monitor, float("nan"))
    return Result(folder=folder, figures=figures, objective=monitored)


def _fit(generator: FittedGenerator, datamodule: SRDataModule, console: Console) -> None:
    columns = (TextColumn("fitting"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=1.0)
        generator.fit(
            _training_pairs(datamodule),
            on_progress=lambda share: progress.update(bar, completed=share),
        )


def _training_pairs(datamodule: SRDataModule) -> Iterator[Pair]:
    for batch in datamodule.train_dataloader():
        yield datamodule.on_after_batch_transfer(batch, 0)


def _save(path: Path, generator: FittedGenerator, record: Mapping[str, Any]) -> None:
    arguments = dict(record["config"]["generator"])
    save_generator(
        path,
        generator.state_dict(),
        name=arguments.pop("name"),
        arguments=arguments,
        scale=generator.scale,
        facts={**record["facts"], "stage": STAGE},
    )

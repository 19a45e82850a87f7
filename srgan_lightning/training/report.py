"""What a run ends with: figures of each stage beside bicubic, and a picture to look at."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.evaluation.benchmark import evaluate
from srgan_lightning.evaluation.comparison import comparison_picture
from srgan_lightning.evaluation.models import BicubicModel, GeneratorModel, Model
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Table, render, save
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.pictures import to_picture
from srgan_lightning.inference.upscaler import Upscaler
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.training.module import SRGANModule

PICTURES = 4


def report(
    module: SRGANModule,
    datamodule: SRDataModule,
    *,
    folder: Path,
    loggers: Sequence[Tracker],
    console: Console,
) -> None:
    """Measure bicubic and every finished stage on the validation pictures, print, draw, save.

    Writes `figures.csv`, `.json`, `.md` and `comparison.png` into the run folder.
    """
    checkpoints = folder / "checkpoints"
    table = _measure(module, datamodule, checkpoints) if datamodule.validation_names else None
    if table is not None:
        save(table, folder)
        console.print(render(table, title="Held-out pictures (mean)", pictures=False))
        picture = _draw(module, datamodule, checkpoints)
        write_png(folder / "comparison.png", picture)
        means = {
            f"final/{row.method.replace(' ', '_')}/{name}": value
            for row in table.means()
            for name, value in row.figures.items()
        }
        for logger in loggers:
            logger.log_metrics(means, module.step)
            logger.log_picture("comparison", picture, step=module.step)
        console.print(f"picture      {folder / 'comparison.png'}", highlight=False, soft_wrap=True)
        console.print(f"figures      {folder / 'figures.csv'}", highlight=False, soft_wrap=True)
    console.print(f"checkpoint   {checkpoints / 'last.ckpt'}", highlight=False, soft_wrap=True)
    model = checkpoints / "generator.safetensors"
    console.print(f"generator    {model}", highlight=False, soft_wrap=True)
    console.print(
        f"try it       srgan upscale PICTURE -o BIG.png --model {model}",
        highlight=False,
        soft_wrap=True,
    )


def _measure(module: SRGANModule, datamodule: SRDataModule, checkpoints: Path) -> Table:
    protocol = Protocol(degradation=datamodule.degradation.describe(), crop=datamodule.scale)
    bicubic = BicubicModel(scale=datamodule.scale)
    table = evaluate(bicubic, _pairs(datamodule), protocol)
    for model in _stages(module, checkpoints):
        table = table + evaluate(model, _pairs(datamodule), protocol)
    return table


def _stages(module: SRGANModule, checkpoints: Path) -> Iterator[Model]:
    for stage in module.schedule.stages:
        path = checkpoints / f"generator-{stage}.safetensors"
        if path.is_file():
            yield GeneratorModel(name=f"after {stage}", upscaler=Upscaler.load(path, precision="32-true"))


def _pairs(datamodule: SRDataModule) -> Iterator[BenchmarkPair]:
    for name, batch in zip(datamodule.validation_names, datamodule.val_dataloader(), strict=False):
        lr, hr = datamodule.on_after_batch_transfer(batch, 0)
        yield BenchmarkPair(name, lr.cpu(), hr.cpu())


def _draw(
    module: SRGANModule, datamodule: SRDataModule, checkpoints: Path
) -> "np.typing.NDArray[np.uint8]":
    """Draw LR | bicubic | one SR a stage | HR for a few pictures."""
    models: list[Model] = [BicubicModel(scale=datamodule.scale), *_stages(module, checkpoints)]
    rows, titles = [], []
    for pair, _ in zip(_pairs(datamodule), range(PICTURES), strict=False):
        panels = {model.name: to_picture(model(pair)) for model in models}
        rows.append({"LR": to_picture(pair.lr), **panels, "HR": to_picture(pair.hr)})
        titles.append(pair.name)
    return comparison_picture(rows, titles=titles)

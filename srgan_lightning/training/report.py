"""What a run ends with: figures of each stage beside bicubic, and a picture to look at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.evaluation.benchmark import Contender, measure
from srgan_lightning.evaluation.comparison import comparison_picture
from srgan_lightning.evaluation.figures import Ruler
from srgan_lightning.evaluation.models import GeneratorModel, Model
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.render import render
from srgan_lightning.evaluation.request import find_distances
from srgan_lightning.evaluation.save import save
from srgan_lightning.evaluation.table import Table
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.generators import find_generator
from srgan_lightning.inference.pictures import Picture, to_picture
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.base import BurstGenerator
from srgan_lightning.pretrained import locate
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.training.resume import LAST
from srgan_lightning.training.schedule import Schedule

PICTURES = 4


def report(
    finished: Mapping[str, Path],
    datamodule: SRDataModule,
    *,
    step: int,
    folder: Path,
    loggers: Sequence[Tracker],
    console: Console,
) -> Table | None:
    """Measure bicubic and the run's generators on the validation pictures, print, draw, save.

    LPIPS and DISTS are measured too where their weights are in the cache of `torch.hub`.

    Writes `figures.csv`, `.json`, `.md` and `comparison.png` into the run folder.

    Args:
        finished: generator files by what tables shall call them.
        datamodule: has the pictures.
        step: the generator step that the run ended at.
        folder: the run folder.
        loggers: get the means and the picture too.
        console: where to print.

    Returns:
        The table, None where there are no validation pictures.
    """
    checkpoints, table = folder / "checkpoints", None
    if datamodule.validation_names:
        models = [_Remembering(m) for m in _models(finished, datamodule.scale)]
        table = _measure(models, datamodule)
        save(table, folder)
        console.print(render(table, title="Held-out pictures (mean)", pictures=False))
        picture = _draw(models, datamodule)
        write_png(folder / "comparison.png", picture)
        means = {
            f"final/{row.method.replace(' ', '_')}/{name}": value
            for row in table.means()
            for name, value in row.figures.items()
        }
        for logger in loggers:
            logger.log_metrics(means, step)
            logger.log_picture("comparison", picture, step=step)
        console.print(f"picture      {folder / 'comparison.png'}", highlight=False, soft_wrap=True)
        console.print(f"figures      {folder / 'figures.csv'}", highlight=False, soft_wrap=True)
    if (folder / LAST).is_file():
        console.print(f"checkpoint   {folder / LAST}", highlight=False, soft_wrap=True)
    model = checkpoints / "generator.safetensors"
    console.print(f"generator    {model}", highlight=False, soft_wrap=True)
    console.print(
        f"try it       srgan upscale PICTURE -o BIG.png --model {model}",
        highlight=False,
        soft_wrap=True,
    )
    return table


def generators_of(init_from: str, schedule: Schedule, folder: Path) -> dict[str, Path]:
    """Return the weights that a run started from, and what each finished stage has left."""
    checkpoints = folder / "checkpoints"
    paths = {f"after {s}": checkpoints / f"generator-{s}.safetensors" for s in schedule.stages}
    if init_from != "none":
        paths = {f"start: {Path(init_from).name}": locate(init_from), **paths}
    return {name: path for name, path in paths.items() if path.is_file()}


@dataclass
class _Remembering:
    """A model that makes SR of each pair once, for the figures and for the picture."""

    model: Model
    made: dict[str, Tensor] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        if pair.name in self.made:
            return self.made[pair.name]
        sr = self.model(pair)
        if len(self.made) < PICTURES:
            self.made[pair.name] = sr
        return sr


@dataclass(frozen=True)
class _ValidationPair(BenchmarkPair):
    """Where LR is a picture of a burst, the burst is what was made of HR."""

    made: Tensor


@dataclass(frozen=True)
class _WholeBurst:
    """A generator that sees all frames of a burst, and their exact motion."""

    name: str
    generator: BurstGenerator

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        assert isinstance(pair, _ValidationPair)
        with torch.inference_mode():
            sr: Tensor = self.generator(pair.made)
        return sr


def _measure(models: Sequence[Model], datamodule: SRDataModule) -> Table:
    protocol = Protocol(degradation=datamodule.degradation.describe(), crop=datamodule.scale)
    distances, _ = find_distances()
    ruler = Ruler(protocol=protocol, distances=distances)
    rows = [
        row
        for model in models
        for row in measure([Contender(model.name, model)], _pairs(datamodule), ruler)
    ]
    return Table(protocol, rows)


def _models(finished: Mapping[str, Path], scale: int) -> list[Model]:
    bicubic = TorchUpscaler.load("bicubic", scale=scale, precision="32-true")
    models: list[Model] = [GeneratorModel(name="bicubic", upscaler=bicubic)]
    for name, path in finished.items():
        generator, _ = find_generator(path)
        if isinstance(generator, BurstGenerator):
            models.append(_WholeBurst(name, generator))
            continue
        upscaler = TorchUpscaler(generator, precision="32-true")
        models.append(GeneratorModel(name=name, upscaler=upscaler))
    return models


def _pairs(datamodule: SRDataModule, *, limit: int | None = None) -> Iterator[BenchmarkPair]:
    for name, pair in datamodule.validation_pairs(limit=limit):
        yield _ValidationPair(name, pair.picture, pair.hr, pair.lr)


def _draw(models: Sequence[Model], datamodule: SRDataModule) -> Picture:
    """Draw LR | bicubic | one SR a stage | HR for a few pictures."""
    rows, titles = [], []
    for pair in _pairs(datamodule, limit=PICTURES):
        panels = {model.name: to_picture(model(pair)) for model in models}
        rows.append({"LR": to_picture(pair.lr), **panels, "HR": to_picture(pair.hr)})
        titles.append(pair.name)
    return comparison_picture(rows, titles=titles)

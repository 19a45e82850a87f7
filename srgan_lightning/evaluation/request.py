"""A config turned into models, pairs and a protocol, and these into one table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.progress import track

from srgan_lightning.degradations import DEGRADATIONS, Degradation
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.benchmark import evaluate
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.models import GeneratorModel, Model, ReadyPictures
from srgan_lightning.evaluation.pairs import DegradedPairs, GivenPairs
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Table
from srgan_lightning.inference.generators import is_method
from srgan_lightning.inference.upscaler import Upscaler
from srgan_lightning.precision import resolve_device
from srgan_lightning.samples import sample_folder


def answer(asked: EvaluateConfig) -> Table:
    """Measure all models that a config names, with a progress bar for each.

    Raises:
        UserError: for anything wrong with the config or the files that it names; all models and
            names are looked at before the first is measured.
    """
    resolve_device(asked.device)
    models = [find_model(name, asked) for name in asked.models]
    pairs, protocol = find_pairs(asked)
    table = Table(protocol, [])
    for model in models:
        table += evaluate(model, track(pairs, description=model.name, transient=True), protocol)
    return table


def find_model(name: str, asked: EvaluateConfig) -> Model:
    """Make a model of what `model=` says: a file, a folder of SR pictures, or a method's name.

    Raises:
        UserError: where there is no such thing, or a generator of another scale.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return ReadyPictures(path, scale=asked.scale)
    upscaler = Upscaler.load(
        path, scale=asked.scale, device=asked.device, precision=asked.precision, tile=asked.tile
    )
    if upscaler.scale != asked.scale:
        raise UserError(
            f"{path}: enlarges by {upscaler.scale} and scale is {asked.scale}; "
            f"say scale={upscaler.scale}"
        )
    if is_method(name):
        return GeneratorModel(name=name, upscaler=upscaler)
    label = f"{path.resolve().parent.name}/{path.name}"  # many are called generator.safetensors
    return GeneratorModel(name=label, upscaler=upscaler)


def find_pairs(asked: EvaluateConfig) -> tuple[DegradedPairs | GivenPairs, Protocol]:
    """Return the pairs that a config names, and the terms to measure them by.

    Raises:
        UserError: for folders that are missing or unfit, or an unknown degradation.
    """
    hr = Path(asked.data.hr).expanduser() if asked.data.hr else sample_folder("heldout")
    pairs: DegradedPairs | GivenPairs
    if asked.data.lr:
        lr = Path(asked.data.lr).expanduser()
        pairs, origin = GivenPairs(hr, lr, scale=asked.scale), f"given files ({lr.name})"
    else:
        degradation = build_degradation(asked.degradation, scale=asked.scale)
        pairs = DegradedPairs(hr, degradation=degradation, seed=asked.seed)
        origin = degradation.describe()
    crop = asked.scale if asked.protocol.crop is None else asked.protocol.crop
    return pairs, Protocol(degradation=origin, space=asked.protocol.space, crop=crop)


def build_degradation(node: Mapping[str, Any], *, scale: int) -> Degradation:
    """Build the degradation that a config node describes.

    Raises:
        UserError: for an unknown name or argument.
    """
    if "name" not in node:
        raise UserError(f"degradation.name: is required; one of {', '.join(DEGRADATIONS)}")
    arguments = {key: value for key, value in node.items() if key != "name"}
    return DEGRADATIONS.build(node["name"], arguments, scale=scale)

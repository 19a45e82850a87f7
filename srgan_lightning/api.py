"""The Python API for notebooks: load, enlarge, degrade, evaluate, compose a config and train.

All names here are to be had from `srgan_lightning` itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from srgan_lightning.config import check, compose, import_plugins
from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.degradations import crop_to_multiple
from srgan_lightning.evaluation.benchmark import evaluate as measure
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.models import GeneratorModel
from srgan_lightning.evaluation.table import Table
from srgan_lightning.evaluation.terms import build_degradation, find_pairs
from srgan_lightning.inference.pictures import Picture, to_picture, to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import Generator
from srgan_lightning.networks import load_generator as load_with_facts
from srgan_lightning.training import build
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.module import SRGANModule
from srgan_lightning.training.record import Result
from srgan_lightning.training.run import run

__all__ = [
    "build_datamodule",
    "build_module",
    "compose",
    "degrade",
    "enlarge",
    "evaluate",
    "load_generator",
    "train",
]


def load_generator(path: str | Path) -> Generator:
    """Load a trained generator.

    Args:
        path: a name that `srgan models` lists ("photo-psnr"), `generator.safetensors` or a `.ckpt`
            of a run, or weights of another program (`.pth`).

    Returns:
        The network in eval mode on the CPU: `[B, 3, H, W]` in [0, 1] to scale times as large.

    Raises:
        UserError: for a file that is missing, damaged or no generator.
    """
    return load_with_facts(path)[0]


def enlarge(picture: Picture, model: Generator | TorchUpscaler | str | Path) -> Picture:
    """Enlarge a picture.

    Args:
        picture: uint8 [H, W, 3], RGB.
        model: a generator, a file of one, a name that `srgan models` lists ("photo-gan"), a
            method's name ("lanczos"), or (for many pictures the quickest) a `TorchUpscaler`.

    Returns:
        uint8 [scale·H, scale·W, 3].

    Raises:
        UserError: for a file that holds no generator.

    Example:
        >>> import numpy as np
        >>> from srgan_lightning.networks import GENERATORS
        >>> network = GENERATORS.build("srresnet", {"blocks": 1, "width": 8})
        >>> enlarge(np.zeros((5, 7, 3), np.uint8), network).shape
        (20, 28, 3)
    """
    if isinstance(model, Generator):
        model = TorchUpscaler(model)
    elif not isinstance(model, TorchUpscaler):
        model = TorchUpscaler.load(model)
    return model.enlarge(picture)


def degrade(
    picture: Picture,
    degradation: str | Mapping[str, Any] = "blur_bicubic",
    *,
    scale: int = 4,
    seed: int = 0,
) -> Picture:
    """Reduce a picture as training does.

    Args:
        picture: uint8 [H, W, 3], RGB; cropped at the bottom and right to a multiple of the scale.
        degradation: a registered name, or `{"name": ..., argument: value}`.
        scale: the factor.
        seed: of the degradation's draws, if it makes any.

    Returns:
        uint8 [H / scale, W / scale, 3].

    Raises:
        UserError: for an unknown degradation or argument.

    Example:
        >>> import numpy as np
        >>> degrade(np.full((33, 16, 3), 255, np.uint8)).tolist()[0][0]
        [255, 255, 255]
    """
    hr = crop_to_multiple(to_tensor(picture), scale)
    lr = build_degradation(_node(degradation), scale=scale)(hr, torch.Generator().manual_seed(seed))
    return to_picture(lr)


def evaluate(
    model: Generator | str | Path,
    hr: str | Path,
    *,
    lr: str | Path | None = None,
    degradation: str | Mapping[str, Any] = "blur_bicubic",
    space: Literal["y", "rgb"] = "y",
    crop: int | None = None,
    scale: int = 4,
) -> Table:
    """Measure a model on a folder of pictures, in float32.

    Args:
        model: a generator, a file of one, or a method's name ("bicubic").
        hr: a folder of pictures.
        lr: a folder of their LR partners; None makes LR by the degradation.
        degradation: a registered name, or `{"name": ..., argument: value}`.
        space: measure on luma ("y", as papers do) or on "rgb".
        crop: pixels left out at each border; None leaves out as many as the scale.
        scale: the factor between LR and HR, for a method's name; a generator knows its own.

    Returns:
        The table of figures: `table.mean(method)`, `table.rows`, `table.protocol.stamp()`.

    Raises:
        UserError: for files that are missing or unfit.
    """
    measured = _model(model, scale)
    asked = check(
        EvaluateConfig,
        {
            "data": {"hr": str(hr), "lr": None if lr is None else str(lr)},
            "degradation": _node(degradation),
            "protocol": {"space": space, "crop": crop},
            "scale": measured.upscaler.scale,
        },
    )
    return measure(measured, *find_pairs(asked))


def build_datamodule(config: Mapping[str, Any]) -> SRDataModule:
    """Build the datamodule of a training config.

    Args:
        config: what `compose` returns.

    Returns:
        A LightningDataModule whose batches are uint8 crops and whose
        `on_after_batch_transfer` makes `(lr, hr)` of them on the device.

    Raises:
        UserError: for a mistake in the config.
    """
    return build.build_datamodule(_checked(config))


def build_module(config: Mapping[str, Any]) -> SRGANModule:
    """Build the training module of a training config: networks, losses, schedule.

    Args:
        config: what `compose` returns.

    Raises:
        UserError: for a mistake in the config.

    Example:
        >>> config = compose(["loss.content.features.weights=random"])
        >>> build_module(config).generator.scale
        4
    """
    return build.build_module(_checked(config), values=config, facts={})


def train(config: Mapping[str, Any], folder: str | Path) -> Result:
    """Train as `srgan train` does, or go on where the run in `folder` stopped.

    Args:
        config: what `compose` returns.
        folder: the run folder, for checkpoints, figures and pictures.

    Raises:
        UserError: for a mistake in the config, and for a run that diverges.
    """
    return run(config, folder=Path(folder))


def _checked(config: Mapping[str, Any]) -> TrainConfig:
    checked = check(TrainConfig, config)
    import_plugins(checked.plugins)
    return checked


def _model(model: Generator | str | Path, scale: int) -> GeneratorModel:
    if isinstance(model, Generator):
        upscaler = TorchUpscaler(model, precision="32-true")
        return GeneratorModel(name=type(model).__name__, upscaler=upscaler)
    upscaler = TorchUpscaler.load(model, scale=scale, precision="32-true")
    return GeneratorModel(name=Path(model).name, upscaler=upscaler)


def _node(degradation: str | Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": degradation} if isinstance(degradation, str) else degradation

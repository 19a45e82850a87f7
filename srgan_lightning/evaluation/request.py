"""A config turned into contenders, pairs and a ruler, and these into one table."""

import contextlib
from collections import Counter
from pathlib import Path

import torch
from rich.progress import track

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.evaluation.benchmark import Contender, measure
from srgan_lightning.evaluation.bursts import (
    PREFIX,
    Fusion,
    FusionModel,
    learned_fusion,
    named_fusion,
)
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.cost import costs_of
from srgan_lightning.evaluation.figures import Ruler, is_deterministic
from srgan_lightning.evaluation.gallery import Gallery
from srgan_lightning.evaluation.models import GeneratorModel, Model, ReadyPictures
from srgan_lightning.evaluation.onnx import OnnxModel
from srgan_lightning.evaluation.pairs import DegradedPairs, GivenPairs
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Table
from srgan_lightning.evaluation.terms import find_burst, find_pairs
from srgan_lightning.inference.generators import find_generator, is_method
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.metrics.multiscale import SMALLEST
from srgan_lightning.metrics.perceptual import BACKBONES, LearnedDistance
from srgan_lightning.networks.base import BurstGenerator
from srgan_lightning.precision import resolve_device
from srgan_lightning.pretrained import boxed, locate

WARM_UP = 16  # pixels


def answer(asked: EvaluateConfig, *, pictures: Path | None = None) -> Table:
    """Measure all models that a config names, with a progress bar.

    Args:
        asked: the config.
        pictures: where SR, HR and LR go as files; None writes none.

    Raises:
        UserError: for anything wrong with the config or the files that it names; all models and
            names are looked at before the first is measured.
    """
    resolve_device(asked.device)
    contenders = find_contenders(asked)
    fusing = any(isinstance(contender.model, FusionModel) for contender in contenders)
    pairs, protocol = find_pairs(asked, fusing=fusing)
    ruler, notes = find_ruler(pairs, protocol)
    with contextlib.ExitStack() as stack:
        gallery = stack.enter_context(Gallery(pictures)) if pictures is not None else None
        rows = measure(contenders, pairs, ruler, keep=gallery.keep if gallery else None)
        total = len(pairs) * len(contenders)
        table = Table(protocol, list(track(rows, "measuring", total=total, transient=True)))
    small = {row.picture for row in table.rows if "ms_ssim" not in row.figures}
    if small:
        notes.append(
            f"MS-SSIM wants {SMALLEST} pixels a side: {len(small)} of {len(pairs)} pictures are "
            "smaller and count without"
        )
    return Table(protocol, table.rows, tuple(notes))


def find_contenders(asked: EvaluateConfig) -> list[Contender]:
    """Make contenders of what `model=` says.

    Raises:
        UserError: as `find_model` does, for two methods of one name, and for a method to compare
            with that is none of them.
    """
    contenders = []
    for label, names in asked.methods:
        for name in names:
            run = name if len(names) > 1 else ""
            if fusion := find_fusion(name, asked):
                contenders += fusions_of(label or _title(name), fusion, run, asked)
                continue
            model = find_model(name, asked)
            costs = dict(model.costs) if isinstance(model, GeneratorModel) else {}
            if find_burst(asked):
                costs["frames"] = 1
            contenders.append(Contender(label or model.name, model, run=run, costs=costs))
    counted = Counter((contender.method, contender.run) for contender in contenders)
    (method, run), times = counted.most_common(1)[0]
    if times > 1:
        raise UserError(
            f"model: {run or method} comes {times} times; give each method a name of its own: "
            "model={A: FILE, B: FILE}"
        )
    methods = [contender.method for contender in contenders]
    if asked.compare_to is not None and asked.compare_to not in methods:
        raise UserError(
            f"compare_to: no method is called {asked.compare_to!r}; "
            f"{nearest(asked.compare_to, set(methods))}"
        )
    return contenders


def find_fusion(name: str, asked: EvaluateConfig) -> Fusion | None:
    """Return what fuses bursts under a name, None where it is called otherwise.

    A generator that fuses bursts enlarges single pictures too, where there are no bursts.

    Raises:
        UserError: for an unknown method, one that fuses where there are no bursts, or a file that
            holds no generator.
    """
    burst = find_burst(asked)
    if name.startswith(PREFIX):
        if burst is None:
            raise UserError(f"model: {name} fuses the frames of bursts; say degradation=burst")
        return named_fusion(name, burst)
    path = locate(name)
    if burst is None or path.is_dir() or path.suffix == ".onnx":
        return None
    generator, _ = find_generator(name if is_method(name) else path, scale=asked.scale)
    if not isinstance(generator, BurstGenerator):
        return None
    _check_scale(path, generator.scale, asked.scale)
    return learned_fusion(generator, burst)


def fusions_of(title: str, fusion: Fusion, run: str, asked: EvaluateConfig) -> list[Contender]:
    """Make a contender of a fusion for each number of frames that is asked for.

    Raises:
        UserError: more frames are asked for than a burst has.
    """
    burst = find_burst(asked)
    assert burst is not None
    counts = (asked.frames,) if isinstance(asked.frames, int) else asked.frames or (burst.frames,)
    if max(counts) > burst.frames:
        raise UserError(
            f"frames: {max(counts)} are asked for and a burst has {burst.frames}; say "
            f"degradation.frames={max(counts)}"
        )
    models = [FusionModel(name=f"{title} of {n}", count=n, fusion=fusion) for n in counts]
    return [Contender(m.name, m, run=run, costs={"frames": m.count}) for m in models]


def find_model(name: str, asked: EvaluateConfig) -> Model:
    """Make a model of what a file, a folder, a method or weights in the box are called.

    Raises:
        UserError: where there is no such thing, or a generator of another scale.
    """
    path = locate(name)
    if path.is_dir():
        return ReadyPictures(path, scale=asked.scale)
    if path.suffix == ".onnx":
        onnx = OnnxModel(path)
        _check_scale(path, onnx.scale, asked.scale)
        return onnx
    generator, _ = find_generator(name if is_method(name) else path, scale=asked.scale)
    _check_scale(path, generator.scale, asked.scale)
    upscaler = TorchUpscaler(
        generator,
        device=asked.device,
        precision=asked.precision,
        tile=asked.tile,
        tiling=asked.tiling,
    )
    upscaler(torch.zeros(1, 3, WARM_UP, WARM_UP))  # so that no picture's seconds hold the start
    return GeneratorModel(name=_title(name), upscaler=upscaler, costs=costs_of(generator))


def _title(name: str) -> str:
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX)
    return name if is_method(name) or boxed(name) else label_of(locate(name))


def label_of(path: Path) -> str:
    """Name a file so that a table tells runs apart: with the folder of its run.

    >>> label_of(Path("runs/seed1/checkpoints/generator.safetensors"))
    'seed1/generator.safetensors'
    """
    folder = path.absolute().parent
    if folder.name == "checkpoints":
        folder = folder.parent
    return f"{folder.name}/{path.name}"


def find_ruler(pairs: DegradedPairs | GivenPairs, protocol: Protocol) -> tuple[Ruler, list[str]]:
    """Return what can be measured here, and a line for each figure that cannot."""
    notes = []
    degradation = pairs.degradation if isinstance(pairs, DegradedPairs) else None
    if degradation is None:
        notes.append("LR-PSNR is left out: how the given LR files were made is not known")
    elif not is_deterministic(degradation):
        degradation = None
        notes.append("LR-PSNR is left out: the degradation draws at random")
    distances, missing = find_distances()
    ruler = Ruler(protocol=protocol, degradation=degradation, distances=distances)
    return ruler, [*notes, *missing]


def find_distances() -> tuple[list[LearnedDistance], list[str]]:
    """Return the learned distances whose weights are here, and a line for each other one."""
    distances, missing = [], []
    for name in BACKBONES:
        try:
            distances.append(LearnedDistance(name=name))
        except UserError as reason:
            missing.append(str(reason))
    return distances, missing


def _check_scale(path: Path, found: int, asked: int) -> None:
    if found != asked:
        raise UserError(f"{path}: enlarges by {found} and scale is {asked}; say scale={found}")

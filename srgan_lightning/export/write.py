"""Exported files, which are there whole and proven or not at all."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path

from srgan_lightning.errors import UserError
from srgan_lightning.export.card import model_card
from srgan_lightning.export.graph import check_exportable, example_of, require_onnx, to_onnx
from srgan_lightning.export.int8 import Calibration, to_int8
from srgan_lightning.export.metadata import Description
from srgan_lightning.export.parity import Precision, check_parity, limits_of
from srgan_lightning.export.whole import Whole
from srgan_lightning.imaging.write import whole_file
from srgan_lightning.inference.generators import find_generator, is_method
from srgan_lightning.networks.base import Generator
from srgan_lightning.networks.weights import (
    StoredGenerator,
    build_stored,
    read_generator,
    save_generator,
)

UNSTATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote.

    Attributes:
        model: the file of the network.
        card: the model card beside it.
        description: what both say.
    """

    model: Path
    card: Path
    description: Description


def export_onnx(
    source: str | Path,
    target: Path,
    *,
    precision: Precision = "float32",
    calibration: Path | None = None,
    whole: bool = False,
    license: str = UNSTATED,
    overwrite: bool = False,
) -> Exported:
    """Export a generator as ONNX, with a model card beside it.

    Equal weights, options and program versions make equal files, byte for byte.

    Args:
        source: what `networks.weights.read_generator` takes.
        target: a `.onnx` file; the card is called alike and ends in `.md`.
        precision: float16 computes in it, and takes and makes it; int8 takes and makes float32, and
            its inner convolutions compute in 8-bit integers.
        calibration: a folder of photographs for int8; None takes the packaged ones.
        whole: take and make uint8 `[B, H, W, 3]` rather than floats `[B, 3, H, W]` in [0, 1].
        license: of the weights.
        overwrite: replace older files.

    Raises:
        UserError: for a source that is no network, a target that is there or cannot be written,
            missing libraries, no photographs to calibrate on, and where ONNX Runtime and torch do
            not agree.
    """
    card = _check_target(target, ".onnx", overwrite=overwrite)
    if calibration is not None and precision != "int8":
        raise UserError(f"export: a calibration is for int8, not for {precision}; leave it out")
    photographs = Calibration.of(calibration) if precision == "int8" else None
    if is_method(source):
        check_exportable(find_generator(source)[0])
    require_onnx()
    stored, generator = _load(source)
    check_exportable(generator)
    description = replace(describe(stored, generator, license), precision=precision, whole=whole)
    half = precision == "float16"
    computing = copy.deepcopy(generator).half() if half else generator
    network = Whole(computing) if whole else computing
    model = to_onnx(network.eval(), example_of(whole=whole, half=half), name=stored.name)
    if photographs is not None:
        description = replace(description, calibration=photographs.facts())
        model = to_int8(model, photographs, scale=stored.scale, name=stored.name)
    parity = check_parity(
        Whole(generator) if whole else generator,
        model.SerializeToString(deterministic=True),
        limits=limits_of(precision, whole=whole),
    )
    description = replace(description, parity=parity)
    for key, value in description.properties().items():
        model.metadata_props.add(key=key, value=value)
    content = model.SerializeToString(deterministic=True)
    try:
        with whole_file(card) as unfinished_card, whole_file(target) as unfinished:
            unfinished.write_bytes(content)
            unfinished_card.write_text(model_card(target.name, description), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error})") from None
    return Exported(model=target, card=card, description=description)


def export_safetensors(
    source: str | Path, target: Path, *, license: str = UNSTATED, overwrite: bool = False
) -> Exported:
    """Write the generator file of a checkpoint, or of another program's weights.

    Args:
        source: what `networks.weights.read_generator` takes.
        target: a `.safetensors` file; the card is called alike and ends in `.md`.
        license: of the weights.
        overwrite: replace older files.

    Raises:
        UserError: as `export_onnx` does.
    """
    card = _check_target(target, ".safetensors", overwrite=overwrite)
    stored, generator = _load(source)
    description = describe(stored, generator, license)
    facts = stored.facts if license == UNSTATED else {**stored.facts, "license": license}
    try:
        save_generator(
            target,
            stored.tensors,
            name=stored.name,
            arguments=stored.arguments,
            scale=stored.scale,
            facts=facts,
        )
        with whole_file(card) as unfinished:
            unfinished.write_text(model_card(target.name, description), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error})") from None
    return Exported(model=target, card=card, description=description)


def _load(source: str | Path) -> tuple[StoredGenerator, Generator]:
    stored = read_generator(source)
    return stored, build_stored(stored, source)


def describe(stored: StoredGenerator, generator: Generator, license: str) -> Description:
    """Gather what is known of a generator; its own licence stands where none is given."""
    facts = dict(stored.facts)
    known = facts.pop("license", UNSTATED)
    return Description(
        name=stored.name,
        arguments=stored.arguments,
        scale=stored.scale,
        parameters=sum(weight.numel() for weight in generator.parameters()),
        halo=generator.halo,
        facts=facts,
        license=known if license == UNSTATED else license,
    )


def _check_target(target: Path, suffix: str, *, overwrite: bool) -> Path:
    if target.suffix != suffix:
        raise UserError(f"{target}: name a {suffix} file")
    card = target.with_suffix(".md")
    for path in (target, card):
        if path.exists() and not overwrite:
            raise UserError(f"{path}: is there already; --overwrite replaces it")
    return card

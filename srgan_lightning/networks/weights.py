"""The generator file: a network that can be rebuilt without the run that trained it.

Files of other programs are read too, where `foreign` knows the network.

A generator file is a safetensors file of the weights. Its metadata, strings all of them:

- `format`: `srgan_lightning.generator`, and `format_version`: `1`;
- `generator`: JSON `{"name": ..., "arguments": {...}}`, the registered network and how to build it;
- `scale`: the factor between the sides of LR and SR;
- `facts`: JSON, whatever else is worth knowing (the degradation, the training).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.files import (
    file_hash,
    read_pickle,
    read_safetensors,
    whole_weights,
)
from srgan_lightning.networks.foreign import READABLE, recognise, unwrap
from srgan_lightning.pretrained import locate

__all__ = [
    "CHECKPOINT_VERSION",
    "FORMAT",
    "StoredGenerator",
    "build_stored",
    "file_hash",
    "load_generator",
    "read_generator",
    "save_generator",
]

FORMAT = "srgan_lightning.generator"
FORMAT_VERSION = 1
CHECKPOINT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class StoredGenerator:
    """What a file says of a generator.

    Attributes:
        name: the generator's registered name.
        arguments: its constructor's arguments besides the scale.
        scale: the factor between the sides of LR and SR.
        facts: what else was saved; of another program's file `{"foreign": {"format": …,
            "file": …}}`.
        tensors: the weights.
    """

    name: str
    arguments: dict[str, Any]
    scale: int
    facts: dict[str, Any]
    tensors: dict[str, Tensor]


def save_generator(
    path: Path | str,
    state_dict: Mapping[str, Tensor],
    *,
    name: str,
    arguments: Mapping[str, Any],
    scale: int,
    facts: Mapping[str, Any],
) -> None:
    """Write a generator file; at `path` stands the whole new file or what stood there before.

    Equal arguments make equal files, byte for byte.

    Args:
        path: where to; the folder is made if need be.
        state_dict: the generator's weights, stored in the dtype they have.
        name: the generator's registered name.
        arguments: its constructor's arguments besides the scale, plain values.
        scale: the factor between the sides of LR and SR.
        facts: anything that JSON can hold.
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "generator": json.dumps({"name": name, "arguments": dict(arguments)}),
        "scale": str(scale),
        "facts": json.dumps(dict(facts)),
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in state_dict.items()}
    with whole_weights(path) as unfinished:
        unfinished.write_bytes(_in_order(safetensors.torch.save(tensors, metadata)))


def load_generator(path: Path | str) -> tuple[Generator, dict[str, Any]]:
    """Rebuild a trained generator.

    Args:
        path: a file as `read_generator` takes it.

    Returns:
        The generator in eval mode on the CPU, and the facts saved with it.

    Raises:
        UserError: for a missing or damaged file, one of a later format version, an unknown
            network, or weights that do not fit the network.
    """
    stored = read_generator(path)
    return build_stored(stored, path), stored.facts


def build_stored(stored: StoredGenerator, path: Path | str) -> Generator:
    """Build what `read_generator` read from `path`; see `load_generator`."""
    try:
        generator = GENERATORS.build(stored.name, stored.arguments, scale=stored.scale)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    _check_fit(Path(path), stored.name, generator.state_dict(), stored.tensors)
    generator.load_state_dict(stored.tensors)
    return generator.eval()


def read_generator(path: Path | str) -> StoredGenerator:
    """Read what a file says of a generator, without building it.

    Averaged weights (EMA) are taken where the file has them.

    Args:
        path: a generator file (`.safetensors`) or a checkpoint (`.ckpt`) of `srgan train`, or
            another program's weights (`.pth`, `.pt`, `.safetensors`) of a network that `foreign`
            recognises; or what `pretrained.locate` finds ("photo-gan").

    Raises:
        UserError: for a missing or damaged file, one of a later format version, or weights of
            an unknown network.
    """
    path = locate(path)
    readers = {
        ".safetensors": _read_generator_file,
        ".ckpt": _read_checkpoint,
        ".pth": _read_pth,
        ".pt": _read_pth,
    }
    if path.suffix not in readers:
        raise UserError(
            f"{path}: a model is a .safetensors or a .ckpt file of `srgan train`, a .pth, .pt or "
            ".safetensors file of another program, or a name that `srgan models` lists"
        )
    return readers[path.suffix](path)


def _in_order(file: bytes) -> bytes:
    """Sort the header of a safetensors file, whose metadata come in a random order."""
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[start:]


def _read_generator_file(path: Path) -> StoredGenerator:
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        return _read_foreign(path, tensors)
    _check_version(path, metadata.get("format_version"), FORMAT_VERSION)
    try:
        generator = json.loads(metadata["generator"])
        return StoredGenerator(
            name=generator["name"],
            arguments=dict(generator["arguments"]),
            scale=int(metadata["scale"]),
            facts=json.loads(metadata["facts"]),
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: its metadata is incomplete ({error})") from None


def _read_checkpoint(path: Path) -> StoredGenerator:
    checkpoint = read_pickle(path)
    if not isinstance(checkpoint, dict) or "srgan_lightning" not in checkpoint:
        raise UserError(f"{path}: is not a checkpoint of `srgan train`")
    try:
        own = checkpoint["srgan_lightning"]
        _check_version(path, own["format_version"], CHECKPOINT_VERSION)
        state = checkpoint["state_dict"]
        prefix = next(
            p for p in ("ema.module.", "generator.") if any(k.startswith(p) for k in state)
        )
        tensors = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        node = dict(own["config"]["generator"])
        return StoredGenerator(
            name=node.pop("name"),
            arguments=node,
            scale=own["config"]["scale"],
            facts=own["facts"],
            tensors=tensors,
        )
    except (KeyError, TypeError, StopIteration) as error:
        missing = error.args[0] if error.args else "the generator's weights"
        raise UserError(f"{path}: is incomplete as a checkpoint ({missing})") from None


def _read_pth(path: Path) -> StoredGenerator:
    return _read_foreign(path, unwrap(read_pickle(path)))


def _read_foreign(path: Path, tensors: Mapping[str, Tensor] | None) -> StoredGenerator:
    found = None if tensors is None else recognise(tensors)
    if found is None:
        raise UserError(
            f"{path}: holds no generator of srgan-lightning and none of the networks of other "
            f"programs that can be read: {READABLE}"
        )
    return StoredGenerator(
        name=found.name,
        arguments=found.arguments,
        scale=found.scale,
        facts={"foreign": {"format": found.format, "file": path.name}},
        tensors=found.tensors,
    )


def _check_version(path: Path, found: Any, known: int) -> None:
    if str(found) != str(known):
        raise UserError(
            f"{path}: has format version {found}, and this program reads version {known}; "
            "a newer srgan-lightning may read it"
        )


def _check_fit(
    path: Path, name: str, expected: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> None:
    shapes = {key: tuple(value.shape) for key, value in expected.items()}
    found = {key: tuple(value.shape) for key, value in given.items()}
    for key in sorted(shapes.keys() | found.keys()):
        if shapes.get(key) != found.get(key):
            raise UserError(
                f"{path}: its weights do not fit {name}: {key} should be "
                f"{shapes.get(key, 'absent')} and is {found.get(key, 'absent')}"
            )

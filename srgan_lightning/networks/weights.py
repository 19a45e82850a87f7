"""The generator file: a network that can be rebuilt without the run that trained it.

A generator file is a safetensors file of the weights. Its metadata, strings all of them:

- `format`: `srgan_lightning.generator`, and `format_version`: `1`;
- `generator`: JSON `{"name": ..., "arguments": {...}}`, the registered network and how to build it;
- `scale`: the factor between the sides of LR and SR;
- `facts`: JSON, whatever else is worth knowing (the degradation, the training).
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.files import file_hash, read_pickle, read_safetensors

__all__ = ["CHECKPOINT_VERSION", "FORMAT", "file_hash", "load_generator", "save_generator"]

FORMAT = "srgan_lightning.generator"
FORMAT_VERSION = 1
CHECKPOINT_VERSION = 1


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        unfinished.write_bytes(_in_order(safetensors.torch.save(tensors, metadata)))
        unfinished.replace(path)


def load_generator(path: Path | str) -> tuple[Generator, dict[str, Any]]:
    """Rebuild a trained generator from a generator file or from a checkpoint of a run.

    From a checkpoint the averaged weights (EMA) are taken where it has them.

    Args:
        path: `generator.safetensors` or a `.ckpt` file.

    Returns:
        The generator in eval mode on the CPU, and the facts saved with it.

    Raises:
        UserError: for a missing, damaged or foreign file, one of a later format version, an
            unknown network, or weights that do not fit the network.
    """
    path = Path(path).expanduser()
    readers = {".safetensors": _read_generator_file, ".ckpt": _read_checkpoint}
    if path.suffix not in readers:
        raise UserError(f"{path}: a model is a .safetensors or a .ckpt file of `srgan train`")
    node, scale, facts, tensors = readers[path.suffix](path)
    arguments = {key: value for key, value in node.items() if key != "name"}
    try:
        generator = GENERATORS.build(node["name"], arguments, scale=scale)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    _check_fit(path, node["name"], generator.state_dict(), tensors)
    generator.load_state_dict(tensors)
    return generator.eval(), facts


def _in_order(file: bytes) -> bytes:
    """Sort the header of a safetensors file, whose metadata come in a random order."""
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[start:]


_Content = tuple[dict[str, Any], int, dict[str, Any], dict[str, Tensor]]


def _read_generator_file(path: Path) -> _Content:
    tensors, metadata = read_safetensors(path)
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"{path}: holds weights but not a generator of srgan-lightning "
            f"(its metadata lacks format={FORMAT})"
        )
    _check_version(path, metadata.get("format_version"), FORMAT_VERSION)
    try:
        generator = json.loads(metadata["generator"])
        node = {**generator["arguments"], "name": generator["name"]}
        return node, int(metadata["scale"]), json.loads(metadata["facts"]), tensors
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: its metadata is incomplete ({error})") from None


def _read_checkpoint(path: Path) -> _Content:
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
        return dict(own["config"]["generator"]), own["config"]["scale"], own["facts"], tensors
    except (KeyError, TypeError, StopIteration) as error:
        missing = error.args[0] if error.args else "the generator's weights"
        raise UserError(f"{path}: is incomplete as a checkpoint ({missing})") from None


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

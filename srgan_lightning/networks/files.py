"""Tensors out of files that nobody vouches for."""

import contextlib
import hashlib
import pickle
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from srgan_lightning.errors import UserError


def file_hash(path: Path | str) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_pickle(path: Path) -> Any:
    """Read a file of `torch.save`, on the CPU; only tensors and plain containers are let in.

    Raises:
        UserError: for a missing or damaged file, and for one that holds anything else.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle protocol: the error says what matters
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            raise UserError(
                f"{path}: refused, for it holds objects other than tensors and plain containers, "
                "and loading those could run foreign code"
            ) from None
        raise _damaged(path) from None
    except Exception:  # noqa: BLE001 - arbitrary bytes make the unpickler raise anything
        raise _damaged(path) from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors of a safetensors file and its metadata.

    Raises:
        UserError: for a missing or damaged file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError):
        raise _damaged(path) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a bare state dict from a `.safetensors`, `.pth` or `.pt` file.

    Raises:
        UserError: as the two readers do, or where the file is no mapping from names to tensors.
    """
    if path.suffix == ".safetensors":
        return read_safetensors(path)[0]
    content = read_pickle(path)
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path}: is not a state dict (a mapping from names to tensors)")
    return content


@contextlib.contextmanager
def whole_weights(path: Path) -> Iterator[Path]:
    """Lend a name beside `path`; what was written there becomes `path` when all went well.

    The folder is made if need be. Whatever interrupts the block, `path` is what it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        unfinished.replace(path)


def _damaged(path: Path) -> UserError:
    return UserError(f"{path}: damaged, or not a file of weights; fetch or save it again")

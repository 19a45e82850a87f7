"""Trained weights that ship with the package; each has a model card beside it.

`models.json` says what each is for, its SHA-256 and what it was measured at.
"""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from srgan_lightning.errors import UserError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A packaged model.

    Attributes:
        name: what `--model` takes.
        purpose: what it is for, in a line.
        degradation: of the LR that it was trained on.
        sha256: of each of its files, by suffix.
        figures: what it was measured at, by what was measured.
        protocol: how `figures` were measured.
    """

    name: str
    purpose: str
    degradation: str
    sha256: Mapping[str, str]
    figures: Mapping[str, float]
    protocol: str

    @property
    def weights(self) -> Path:
        """The generator file, in float16."""
        return FOLDER / f"{self.name}.safetensors"

    @property
    def onnx(self) -> Path:
        """The same network for ONNX Runtime."""
        return FOLDER / f"{self.name}.onnx"

    @property
    def card(self) -> Path:
        """The model card."""
        return FOLDER / f"{self.name}.md"


@functools.cache
def pretrained() -> Mapping[str, Pretrained]:
    """Return the packaged models by name.

    >>> list(pretrained())
    ['photo-psnr', 'photo-gan', 'photo-real', 'cosmic']
    """
    entries = json.loads((FOLDER / "models.json").read_text())
    return {name: Pretrained(name=name, **entry) for name, entry in entries.items()}


def is_pretrained(model: str | Path) -> bool:
    """Tell whether `model` names a packaged one; a file or folder so called wins.

    >>> is_pretrained("photo-gan"), is_pretrained("generator.safetensors")
    (True, False)
    """
    return str(model) in pretrained() and not Path(model).expanduser().exists()


def located(model: str | Path, *, suffix: str = ".safetensors") -> Path:
    """Return the file of a packaged model; what names none is a path already.

    Args:
        model: a packaged model's name, or a path.
        suffix: which of a packaged model's files, `.safetensors` or `.onnx`.

    Raises:
        UserError: a packaged file is not the one that was packaged.

    Example:
        >>> located("photo-gan").name, located("my.safetensors").name
        ('photo-gan.safetensors', 'my.safetensors')
    """
    if not is_pretrained(model):
        return Path(model).expanduser()
    entry = pretrained()[str(model)]
    path = entry.weights.with_suffix(suffix)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); install again") from None
    if found != entry.sha256[suffix]:
        raise UserError(f"{path}: is not the file that was packaged; install again")
    return path

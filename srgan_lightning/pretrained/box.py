"""The weights that ship with the package, as models.json registers them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from srgan_lightning.errors import UserError

FOLDER = Path(__file__).parent
REGISTRY = FOLDER / "models.json"


@dataclass(frozen=True, kw_only=True)
class Boxed:
    """A trained generator in the box.

    Attributes:
        name: what `--model` calls it.
        purpose: what it is for, in a line.
        sha256: of the file of its weights.
        generator: its network and the options of it.
        parameters: how many weights it has.
        scale: the factor between the sides of LR and SR.
        degradation: how LR was made in training.
        license: of the weights.
        figures: what was measured, one entry a set of pictures: "pictures", the protocol's
            "stamp", and means by method, "model" being this one.
        card: what only its model card tells: data, budget, commands, limits.
    """

    name: str
    purpose: str
    sha256: str
    generator: Mapping[str, Any]
    parameters: int
    scale: int
    degradation: str
    license: str
    figures: tuple[Mapping[str, Any], ...]
    card: Mapping[str, Any]

    @property
    def fuses(self) -> bool:
        """Whether it makes one picture of many frames; then it has no graph."""
        return str(self.generator["name"]).startswith("burst_")

    @property
    def weights(self) -> Path:
        """The generator file, float16."""
        return FOLDER / f"{self.name}.safetensors"

    @property
    def graph(self) -> Path:
        """The network in ONNX, which computes in float32 and reads the same weights."""
        return FOLDER / f"{self.name}.onnx"

    @property
    def page(self) -> Path:
        """The model card."""
        return FOLDER / f"{self.name}.md"

    @property
    def pictures(self) -> tuple[Path, ...]:
        """What the model card shows."""
        return tuple(FOLDER / name for name in self.card.get("pictures", {}))

    def check(self) -> None:
        """Make sure that the weights are those that were registered.

        Raises:
            UserError: for a file that is missing or another one.
        """
        found = hashlib.sha256(self.weights.read_bytes()) if self.weights.is_file() else None
        if found is None or found.hexdigest() != self.sha256:
            what = "is missing" if found is None else "is not the file that models.json registers"
            raise UserError(f"{self.weights}: {what}; install srgan-lightning again")


def read_registry(path: Path = REGISTRY) -> dict[str, Boxed]:
    """Read a registry, a JSON list of objects with `Boxed`'s attributes."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(Boxed)}
    for entry in entries:
        assert entry.keys() == known, sorted(entry.keys() ^ known)
    return {
        entry["name"]: Boxed(**{**entry, "figures": tuple(entry["figures"])}) for entry in entries
    }


BOX: Mapping[str, Boxed] = read_registry()


def boxed(model: str | Path) -> Boxed | None:
    """Return what the box has under a name; None for other names, and where a file is called so.

    Example:
        >>> boxed("photo-psnr").scale
        4
    """
    return None if Path(model).exists() else BOX.get(str(model))

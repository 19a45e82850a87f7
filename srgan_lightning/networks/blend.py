"""Network interpolation: a network between two (Wang et al. 2018, "ESRGAN", section 3.4)."""

import copy
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS
from srgan_lightning.networks.files import file_hash
from srgan_lightning.networks.foreign import write_foreign
from srgan_lightning.networks.weights import (
    StoredGenerator,
    build_stored,
    read_generator,
    save_generator,
)
from srgan_lightning.pretrained import locate


def interpolate_weights(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float
) -> dict[str, Tensor]:
    """Return θ = (1 − α) θ₁ + α θ₂ of two state dicts with the same names and shapes.

    What is no floating-point number (a counter) is the first one's.

    Args:
        first: θ₁, in ESRGAN's use the weights that were trained for PSNR.
        second: θ₂, those that were trained as a GAN.
        alpha: α in [0, 1].

    Example:
        >>> interpolate_weights({"w": torch.zeros(2)}, {"w": torch.ones(2)}, 0.8)
        {'w': tensor([0.8000, 0.8000])}
    """
    return {
        key: torch.lerp(value, second[key], alpha) if value.is_floating_point() else value
        for key, value in first.items()
    }


class Blend:
    """Two generator files of one network, and what lies between them.

    Args:
        first: a file as `read_generator` takes it; α = 0 is this one.
        second: the other; α = 1 is this one.

    Raises:
        UserError: for a file that holds no generator, or two that are not of the same network.
    """

    def __init__(self, first: str | Path, second: str | Path) -> None:
        files = [(path, read_generator(path)) for path in map(locate, (first, second))]
        generators = [build_stored(stored, path) for path, stored in files]
        _check_same(*files)
        self._stored = files[0][1]
        self._first, self._second = (generator.state_dict() for generator in generators)
        self._between = copy.deepcopy(generators[0])
        one, other = (stored.facts.get("degradation") for _, stored in files)
        self._shared = {"degradation": one} if one and one == other else {}
        self._sources = [
            {"file": path.name, "sha256": file_hash(path), "facts": stored.facts}
            for path, stored in files
        ]

    def write(self, path: Path, alpha: float) -> None:
        """Write the network at α, as other programs do where `path` ends in `.pth`.

        Otherwise it is a generator file, whose facts name both sources with their hashes, and the
        degradation, where both were trained for the same.

        Raises:
            UserError: where other programs do not know the network (.pth only).
        """
        self._between.load_state_dict(interpolate_weights(self._first, self._second, alpha))
        if path.suffix == ".pth":
            write_foreign(path, self._between)
            return
        save_generator(
            path,
            self._between.state_dict(),
            name=self._stored.name,
            arguments=self._stored.arguments,
            scale=self._stored.scale,
            facts=self._shared | {"blend": {"alpha": alpha, "sources": self._sources}},
        )


def _check_same(*files: tuple[Path, StoredGenerator]) -> None:
    (first, one), (second, other) = ((path, _options(stored)) for path, stored in files)
    for option in one.keys() | other.keys():
        if one.get(option) != other.get(option):
            raise UserError(
                f"{first} and {second}: only files of the same network can be blended, and "
                f"{option} is {one.get(option)!r} in one and {other.get(option)!r} in the other"
            )


def _options(stored: StoredGenerator) -> dict[str, Any]:
    parameters = inspect.signature(GENERATORS.get(stored.name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    own = {"generator": stored.name, "scale": stored.scale}
    options: dict[str, Any] = json.loads(json.dumps({**defaults, **stored.arguments, **own}))
    return options

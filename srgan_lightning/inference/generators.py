"""The generator that a user names: one of a file, or a method that needs no file."""

from pathlib import Path
from typing import Any

import srgan_lightning.classical  # noqa: F401 - registers the methods
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.weights import load_generator


def is_method(model: str | Path) -> bool:
    """Tell whether `model` is a generator's registered name; a file or folder so called wins.

    >>> is_method("bicubic"), is_method("generator.safetensors")
    (True, False)
    """
    return str(model) in GENERATORS and not Path(model).expanduser().exists()


def find_generator(model: str | Path, *, scale: int = 4) -> tuple[Generator, dict[str, Any]]:
    """Load a generator from its file, or build one without weights by its registered name.

    Args:
        model: a file of weights, what `pretrained.locate` finds (`photo-gan`), or the name of a
            method (`bicubic`, `total_variation`).
        scale: of a generator by name; a file knows its own.

    Returns:
        The generator in eval mode on the CPU, and the facts saved with it.

    Raises:
        UserError: for a file that holds no generator, or the name of a generator with weights.

    Example:
        >>> find_generator("lanczos", scale=3)[0].scale
        3
    """
    if not is_method(model):
        return load_generator(model)
    generator = GENERATORS.build(str(model), {}, scale=scale)
    if generator.state_dict():
        raise UserError(
            f"{model}: is a generator with weights; give a file of them, which "
            f"`srgan train generator={model} init_from=none` writes"
        )
    return generator.eval(), {}

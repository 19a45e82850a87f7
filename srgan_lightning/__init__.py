"""Photo-realistic ×4 super-resolution with GANs.

The names below are there at once and import what they need when first used.
"""

import importlib
import os
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srgan_lightning.api import (
        build_datamodule,
        build_module,
        compose,
        degrade,
        enlarge,
        evaluate,
        load_generator,
        train,
    )

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime would report to its makers

__version__ = version("srgan-lightning")
__all__ = [
    "__version__",
    "build_datamodule",
    "build_module",
    "compose",
    "degrade",
    "enlarge",
    "evaluate",
    "load_generator",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("srgan_lightning.api"), name)


def __dir__() -> list[str]:
    return __all__

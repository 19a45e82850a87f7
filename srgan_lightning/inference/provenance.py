"""Where an enlarged picture comes from, in the words that its metadata carry."""

import hashlib
from pathlib import Path

from srgan_lightning import __version__
from srgan_lightning.inference.upscaler import Upscaler


def named(path: Path) -> str:
    """Name a model's file in metadata: without its folder, with its SHA-256."""
    with path.expanduser().open("rb") as file:
        return f"{path.name} sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def provenance(upscaler: Upscaler, *, depth: int) -> dict[str, str]:
    """Return program, model, precision and tiling by keyword, for a picture of so many bits."""
    return {"Software": f"srgan-lightning {__version__}", **upscaler.describe(depth)}

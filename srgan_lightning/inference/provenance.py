"""Where an enlarged picture comes from, in the words that its metadata carry."""

import hashlib
from pathlib import Path

from srgan_lightning import __version__
from srgan_lightning.inference.upscaler import Upscaler
from srgan_lightning.pretrained import boxed, locate


def named(model: str | Path) -> str:
    """Name a model in metadata: a file without its folder, with the SHA-256 of its weights."""
    if entry := boxed(model):
        return f"{entry.name} sha256:{entry.sha256}"
    path = locate(model)
    with path.open("rb") as file:
        return f"{path.name} sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def provenance(upscaler: Upscaler, *, depth: int) -> dict[str, str]:
    """Return program, model, precision and tiling by keyword, for a picture of so many bits."""
    return {"Software": f"srgan-lightning {__version__}", **upscaler.describe(depth)}

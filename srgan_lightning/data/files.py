"""From what a config says to picture files and their names."""

import glob
from pathlib import Path
from typing import Literal, cast

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import is_image_name, list_images
from srgan_lightning.samples import sample_folder

SAMPLES = "samples://"


def find_files(path: str) -> list[tuple[str, Path]]:
    """Find the pictures of a folder, a pattern or the packaged samples.

    Args:
        path: a folder; a pattern with `*`, `?`, `[...]` and `**`; `samples://train` or
            `samples://heldout`.

    Returns:
        (name, file) in the order of the names: paths relative to the folder, or to the part of
        the pattern before its first wildcard, with forward slashes.

    Raises:
        UserError: nothing of that name is there, or it holds no pictures.
    """
    root, files = _find(path)
    if not files:
        raise UserError(f"{path}: no pictures there (PNG, JPEG, WebP, TIFF or BMP)")
    return sorted((file.relative_to(root).as_posix(), file) for file in files)


def _find(path: str) -> tuple[Path, list[Path]]:
    if path.startswith(SAMPLES):
        split = path.removeprefix(SAMPLES)
        if split not in ("train", "heldout"):
            raise UserError(f"{path}: known are {SAMPLES}train and {SAMPLES}heldout")
        folder = sample_folder(cast(Literal["train", "heldout"], split))
        return folder, list_images(folder)
    place = Path(path).expanduser()
    if place.is_dir() or not glob.has_magic(path):
        return place, list_images(place)
    parts = place.parts
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:first])
    matches = root.glob("/".join(parts[first:]))
    return root, [match for match in matches if is_image_name(match.name)]

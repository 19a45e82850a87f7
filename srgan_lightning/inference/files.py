"""Which picture file becomes which."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.fits import FITS_SUFFIXES, is_fits
from srgan_lightning.imaging.read import SUFFIXES, is_image_name, list_images

Present = Literal["refuse", "overwrite", "resume"]

_SUFFIXES = SUFFIXES | FITS_SUFFIXES


@dataclass(frozen=True)
class Task:
    """One picture to enlarge: read `source`, write `target`."""

    source: Path
    target: Path


def plan(
    inputs: Sequence[Path], output: Path, *, suffix: str = "", present: Present = "refuse"
) -> list[Task]:
    """Decide where each enlarged picture goes, before any work is done.

    A single file goes to `output` if that has a picture's suffix. Otherwise `output` is a folder: a
    file becomes NAME + suffix + .png in it (TIFF and FITS stay what they are), a
    folder's pictures keep their subfolders. Pictures below `output` itself are no input.

    Args:
        inputs: picture files, folders of them, and patterns ("photos/**/*.jpg").
        output: a folder, or a file for a single picture.
        suffix: put behind each name.
        present: what to do where an output is there already: nothing at all, write it anew, or
            leave it out. An input is never written.

    Raises:
        UserError: for a missing input, a folder without pictures, two pictures of one output, an
            output that is there already or that cannot be.
    """
    found = [path for given in inputs for path in _expanded(given)]
    if is_image_name(output.name, suffixes=_SUFFIXES) and not output.is_dir():
        tasks = [_single(found, output)]
    else:
        tasks = [task for path in found for task in _into_folder(path, output, suffix)]
    _refuse_clashes(tasks)
    there = [task.target for task in tasks if task.target.exists()]
    if there and present == "refuse":
        raise UserError(
            f"{there[0]}: is there already (in all {len(there)} of {len(tasks)} outputs); "
            "--overwrite replaces them, --resume leaves them and does the rest"
        )
    return tasks if present != "resume" else [task for task in tasks if task.target not in there]


def _expanded(given: Path) -> list[Path]:
    """Return what a pattern stands for; what exists, or has no `*`, `?` or `[`, is itself."""
    if given.exists() or not glob.has_magic(str(given)):
        return [given]
    matches = sorted(Path(given.anchor).glob(str(given.relative_to(given.anchor))))
    pictures = [path for path in matches if is_image_name(path.name, suffixes=_SUFFIXES)]
    if not pictures:
        raise UserError(f"{given}: matches no picture")
    return pictures


def _single(inputs: Sequence[Path], output: Path) -> Task:
    if len(inputs) != 1 or inputs[0].is_dir():
        raise UserError(f"{output}: is one file for several pictures; name a folder")
    if not inputs[0].is_file():
        raise UserError(f"{inputs[0]}: no such file or folder")
    if is_fits(inputs[0]) != is_fits(output):
        raise UserError(f"{inputs[0]} to {output}: FITS becomes FITS, and pictures pictures")
    return Task(inputs[0], output)


def _into_folder(path: Path, output: Path, suffix: str) -> Iterator[Task]:
    if output.is_file():
        raise UserError(f"{output}: is a file without a picture's suffix; name a folder")
    if path.is_file():
        yield Task(path, output / _name(path, suffix))
        return
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder")
    own = output.resolve()
    inside = own != path.resolve()
    sources = [
        p
        for p in list_images(path, suffixes=_SUFFIXES)
        if not (inside and p.resolve().is_relative_to(own))
    ]
    if not sources:
        raise UserError(f"{path}: holds no pictures; PNG, JPEG, WebP, TIFF, BMP, FITS are read")
    for source in sources:
        folder = output / source.relative_to(path).parent
        yield Task(source, folder / _name(source, suffix))


def _name(source: Path, suffix: str) -> str:
    if is_fits(source):
        return f"{source.stem}{suffix}.fits"
    kind = ".tif" if source.suffix.lower() in (".tif", ".tiff") else ".png"
    return f"{source.stem}{suffix}{kind}"


def _refuse_clashes(tasks: Sequence[Task]) -> None:
    sources = {task.source.resolve() for task in tasks}
    taken: dict[Path, Path] = {}
    for task in tasks:
        target = task.target.resolve()
        if target in sources:
            raise UserError(f"{task.target}: is an input itself; take another folder or --suffix")
        if target in taken:
            raise UserError(
                f"{task.source} and {taken[target]} would both become {task.target}; "
                "enlarge them into two folders"
            )
        taken[target] = task.source

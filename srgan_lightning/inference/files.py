"""Which file becomes which."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.animation import ANIMATED_SUFFIXES, is_animated
from srgan_lightning.imaging.fits import FITS_SUFFIXES, is_fits
from srgan_lightning.imaging.read import SUFFIXES, is_image_name, list_images
from srgan_lightning.imaging.video import VIDEO_SUFFIXES, is_video

Present = Literal["refuse", "overwrite", "resume"]
Kind = Literal["picture", "fits", "animation", "video", "frames of a video", "video of frames"]

BESIDE = "_sr"  # what is put behind the name of a file that is written beside its source
READABLE = SUFFIXES | FITS_SUFFIXES | VIDEO_SUFFIXES | ANIMATED_SUFFIXES


@dataclass(frozen=True)
class Task:
    """One file to enlarge: read `source`, write `target`; either may be a folder of frames."""

    source: Path
    target: Path
    kind: Kind = "picture"


def plan(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    suffix: str = "",
    frames: bool = False,
    present: Present = "refuse",
) -> list[Task]:
    """Decide where each enlarged file goes, before any work is done.

    A single file goes to `output` if that has a known suffix; a folder of pictures does if that is
    a video's. Otherwise `output` is a folder: a file becomes NAME + suffix + .png in it (TIFF,
    FITS, animations and videos stay what they are), a folder's files keep their subfolders. Files
    below `output` itself are no input.

    Args:
        inputs: files, folders of them, and patterns ("photos/**/*.jpg").
        output: a folder, or a file for a single one; None puts each file beside its source, with
            `BESIDE` behind its name where no suffix is given.
        suffix: put behind each name.
        frames: whether a video becomes a folder NAME + suffix of its frames.
        present: what to do where an output is there already: nothing at all, write it anew, or
            leave it out. An input is never written.

    Raises:
        UserError: for a missing input, a folder with nothing to enlarge, two files of one output,
            an output that is there already or that cannot be.
    """
    found = [path for given in inputs for path in _expanded(given)]
    if output is None:
        tasks = [task for path in found for task in _beside(path, suffix or BESIDE, frames)]
    elif is_image_name(output.name, suffixes=READABLE) and not output.is_dir():
        tasks = [_single(found, output)]
    else:
        tasks = [task for path in found for task in _into_folder(path, output, suffix, frames)]
    _refuse_clashes(tasks)
    there = [task.target for task in tasks if task.target.exists()]
    if there and present == "refuse":
        raise UserError(
            f"{there[0]}: is there already (in all {len(there)} of {len(tasks)} outputs); "
            "--overwrite replaces them, --resume leaves them and does the rest"
        )
    return tasks if present != "resume" else [task for task in tasks if task.target not in there]


def kind_of(source: Path, target: Path) -> Kind:
    """Tell what a file is enlarged as.

    Raises:
        UserError: where what it is cannot become what `target` names.
    """
    name = target.suffix.lower()
    if is_fits(source) != is_fits(target):
        raise UserError(f"{source} to {target}: FITS becomes FITS, and pictures pictures")
    if is_video(source) != is_video(target):
        hint = "; --frames writes them into a folder" if is_video(source) else ""
        raise UserError(f"{source} to {target}: a video becomes a video, a picture a picture{hint}")
    if is_fits(source):
        return "fits"
    if is_video(source):
        return "video"
    if name in ANIMATED_SUFFIXES and is_animated(source):
        return "animation"
    return "picture"


def _expanded(given: Path) -> list[Path]:
    """Return what a pattern stands for; what exists, or has no `*`, `?` or `[`, is itself."""
    if given.exists() or not glob.has_magic(str(given)):
        return [given]
    matches = sorted(Path(given.anchor).glob(str(given.relative_to(given.anchor))))
    files = [path for path in matches if is_image_name(path.name, suffixes=READABLE)]
    if not files:
        raise UserError(f"{given}: matches nothing that can be enlarged")
    return files


def _single(inputs: Sequence[Path], output: Path) -> Task:
    if len(inputs) == 1 and inputs[0].is_dir() and is_video(output):
        return Task(inputs[0], output, "video of frames")
    if len(inputs) != 1 or inputs[0].is_dir():
        raise UserError(f"{output}: is one file for several pictures; name a folder")
    if not inputs[0].is_file():
        raise UserError(f"{inputs[0]}: no such file or folder")
    return Task(inputs[0], output, kind_of(inputs[0], output))


def _beside(path: Path, suffix: str, frames: bool) -> list[Task]:
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name another for what is made of it (-o FOLDER)")
    return [*_into_folder(path, path.parent, suffix, frames)]


def _into_folder(path: Path, output: Path, suffix: str, frames: bool) -> Iterator[Task]:
    if output.is_file():
        raise UserError(f"{output}: is a file without a picture's suffix; name a folder")
    if path.is_file():
        yield _task(path, output, suffix, frames)
        return
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder")
    own = output.resolve()
    inside = own != path.resolve()
    sources = [
        p
        for p in list_images(path, suffixes=READABLE)
        if not (inside and p.resolve().is_relative_to(own))
    ]
    if not sources:
        raise UserError(
            f"{path}: holds nothing to enlarge; PNG, JPEG, WebP, TIFF, BMP, GIF, FITS and videos "
            "are read"
        )
    for source in sources:
        yield _task(source, output / source.relative_to(path).parent, suffix, frames)


def _task(source: Path, folder: Path, suffix: str, frames: bool) -> Task:
    own = source.suffix.lower()
    name = f"{source.stem}{suffix}"
    if is_fits(source):
        return Task(source, folder / f"{name}.fits", "fits")
    if is_video(source):
        if frames:
            return Task(source, folder / name, "frames of a video")
        return Task(source, folder / f"{name}{own}", "video")
    if own in ANIMATED_SUFFIXES and is_animated(source):
        return Task(source, folder / f"{name}{own}", "animation")
    return Task(source, folder / f"{name}{'.tif' if own in ('.tif', '.tiff') else '.png'}")


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

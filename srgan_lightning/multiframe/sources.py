"""What a file yields as frames: pictures, pages, videos, animations, FITS planes."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.animation import is_animated, opened_animation
from srgan_lightning.imaging.decode import read_document, read_pages
from srgan_lightning.imaging.document import LEVELS, Document
from srgan_lightning.imaging.fits import FITS_SUFFIXES, is_fits, is_image, opened_fits
from srgan_lightning.imaging.frames import natural_key
from srgan_lightning.imaging.read import SUFFIXES, list_images
from srgan_lightning.imaging.video import is_video, opened_video
from srgan_lightning.imaging.video_read import Shot, VideoReader

_THIN = 4  # an axis so many times shorter than both others is taken for that of time


class UnusableError(UserError):
    """What makes a whole burst senseless, not one frame of it."""


Kind = Literal["picture", "film", "FITS"]


@dataclasses.dataclass(frozen=True)
class Found:
    """A frame as its file holds it, or why it cannot be read.

    Attributes:
        name: of the file, and of the frame in it.
        values: float32 `[C, H, W]`, 0 to 1 or physical units, NaN where nothing is known.
        fault: one line, where there are no values.
        kind: of the file; a film knows no grey, so that its frames may be grey or not.
        file: it lies in.
    """

    name: str
    values: NDArray[np.float32] | None
    fault: str = ""
    kind: Kind = "picture"
    file: Path = Path()


Source = Callable[[], Iterator[Found]]


def sources_of(paths: list[Path]) -> list[Source]:
    """Return what reads each of some files; folders are opened, in the order of their numbers.

    Raises:
        UserError: a file is missing or of no kind that is known, or a folder holds none.
    """
    sources = []
    for path in paths:
        if path.is_dir():
            held = sorted(
                list_images(path, suffixes=SUFFIXES | FITS_SUFFIXES),
                key=lambda file: natural_key(str(file)),
            )
            if not held:
                raise UserError(f"{path}: holds no pictures and no FITS files")
            sources += [_source(file) for file in held]
        elif path.exists():
            sources.append(_source(path))
        else:
            raise UserError(f"{path}: no such file or folder")
    return sources


def first_header(path: Path) -> Any:
    """Return the header of a FITS file's first image."""
    with opened_fits(path) as units:
        return next(unit.header.copy() for unit in units if is_image(unit))


def _source(path: Path) -> Source:
    if is_fits(path):
        return lambda: _guarded(path, _planes)
    if is_video(path):
        return lambda: _guarded(path, _shots)
    if path.suffix.lower() in (".tif", ".tiff"):
        return lambda: _guarded(path, _pages)
    if is_animated(path):
        return lambda: _guarded(path, _cels)
    if path.suffix.lower() in SUFFIXES:
        return lambda: _guarded(path, lambda file: iter([_found(str(file), read_document(file))]))
    raise UserError(f"{path}: no picture, video or FITS file that is known")


def _guarded(path: Path, read: Callable[[Path], Iterator[Found]]) -> Iterator[Found]:
    """Turn what breaks a file into a fault of its next frame, and frames of nothing into faults."""
    try:
        for found in read(path):
            if found.values is not None and not np.isfinite(found.values).any():
                yield Found(found.name, None, f"{found.name}: holds no known pixel, only NaN")
            else:
                yield dataclasses.replace(found, file=path)
    except UnusableError:
        raise
    except UserError as error:
        yield Found(str(path), None, str(error))


def _found(name: str, document: Document) -> Found:
    values = document.colour.astype(np.float32)
    values /= LEVELS.get(document.colour.dtype, 1)
    if document.alpha is not None:
        values[document.alpha == 0] = np.nan
    return Found(name, values.transpose(2, 0, 1))


def _pages(path: Path) -> Iterator[Found]:
    for number, document in enumerate(read_pages(path), 1):
        yield _found(f"{path}, page {number}", document)


def _cels(path: Path) -> Iterator[Found]:
    with opened_animation(path) as animation:
        for number, cel in enumerate(animation, 1):
            yield _of_film(_found(f"{path}, picture {number}", cel.document))


def _shots(path: Path) -> Iterator[Found]:
    with opened_video(path) as container:
        reader = VideoReader(container, path)
        for event in reader:
            if isinstance(event, Shot):
                name = f"{path}, frame {reader.frames}"
                yield _of_film(_found(name, Document(event.picture)))
        for fault in reader.unreadable():
            yield Found(str(path), None, f"{path}: {fault}")


def _of_film(found: Found) -> Found:
    """Make one channel of three that are equal."""
    values = found.values
    assert values is not None
    if all(np.array_equal(values[0], other, equal_nan=True) for other in values[1:]):
        values = values[:1]
    return dataclasses.replace(found, values=values, kind="film")


def _planes(path: Path) -> Iterator[Found]:
    with opened_fits(path) as units:
        for unit in units:
            if is_image(unit):
                yield from _planes_of(path, unit)


def _planes_of(path: Path, unit: Any) -> Iterator[Found]:
    shape = tuple(unit.shape)
    if len(shape) == 2:
        yield Found(f"{path}, {unit.name}", _measured(unit.data), kind="FITS")
        return
    if len(shape) != 3:
        raise UnusableError(
            f"{path}: {unit.name} has {len(shape)} axes; frames want two, a cube three"
        )
    frames, height, width = shape
    if width * _THIN <= min(frames, height) or height * _THIN <= min(frames, width):
        raise UnusableError(
            f"{path}: is a cube of {frames} frames of {height}x{width}? The axis of time must be "
            "NAXIS3, the last in the header: transpose it"
        )
    for number in range(frames):  # a section is read from the file alone
        plane = _measured(unit.section[number, :, :])
        yield Found(f"{path}, plane {number + 1}", plane, kind="FITS")


def _measured(plane: Any) -> NDArray[np.float32]:
    return np.asarray(plane).astype(np.float32)[None]

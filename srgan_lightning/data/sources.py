"""Folders, patterns and stores to one source of usable pictures."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from srgan_lightning.data.files import find_files
from srgan_lightning.data.pictures import (
    FilePicture,
    MemoryPicture,
    Picture,
    ResizedPicture,
    Source,
)
from srgan_lightning.data.store import SUFFIX, Store
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import image_size
from srgan_lightning.imaging.threads import ordered_map

MEMORY = 1 << 30
_WARNINGS = 10


def open_source(
    paths: str | Sequence[str],
    *,
    min_size: int = 1,
    resize: int | None = None,
    memory: int = MEMORY,
) -> Source:
    """Open folders, patterns, stores and `samples://…`, one or several, mixed.

    Pictures that fit into `memory` together are decoded here, once. More of them are looked
    through here and decoded anew for each crop, which `srgan prepare` saves.

    Args:
        paths: what `find_files` knows, and stores by their suffix.
        min_size: the smallest height and width that is of use, pixels.
        resize: side of the square that every picture is resized to; None leaves them.
        memory: bytes of pixels that may be kept.

    Returns:
        The usable pictures; each of the others is named in a warning.

    Raises:
        UserError: a path that is not there, or no usable picture.
    """
    listed = [paths] if isinstance(paths, str) else list(paths)
    refusals = _Refusals()
    pictures: list[Picture] = []
    for path in listed:
        pictures += _open(path, refusals)
    if resize is not None:
        pictures = [ResizedPicture(picture, resize) for picture in pictures]
    pictures = [picture for picture in pictures if not refusals.too_small(picture, min_size)]
    encoded = [picture for picture in pictures if not picture.decoded]
    if sum(3 * height * width for height, width in (p.size for p in encoded)) <= memory:
        pictures = refusals.sift(_keep, pictures)
    else:
        pictures = refusals.sift(_check, pictures)
    refusals.report()
    if not pictures:
        where = ", ".join(listed) or "an empty list of folders"
        raise UserError(f"{where}: no usable picture; the warnings say why")
    return Source(pictures, rejected=refusals.names)


def _open(path: str, refusals: "_Refusals") -> list[Picture]:
    if path.endswith(SUFFIX):
        return list(Store(Path(path).expanduser()).pictures())
    files = find_files(path)
    pictures: list[Picture] = []
    for (name, file), size in zip(
        files, ordered_map(image_size, (file for _, file in files)), strict=True
    ):
        if isinstance(size, UserError):
            refusals.add(name, str(size))
        else:
            pictures.append(FilePicture(name, file, size))
    return pictures


def _keep(picture: Picture) -> Picture:
    return MemoryPicture(picture.name, picture.pixels())


def _check(picture: Picture) -> Picture:
    picture.check()
    return picture


class _Refusals:
    """Pictures that are left out, and why."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._reasons: list[str] = []

    def add(self, name: str, reason: str) -> None:
        self.names.append(name)
        self._reasons.append(reason)

    def too_small(self, picture: Picture, min_size: int) -> bool:
        height, width = picture.size
        small = min(height, width) < min_size
        if small:
            reason = f"{height}x{width} is smaller than the {min_size} pixels needed"
            self.add(picture.name, f"{picture.name}: {reason}")
        return small

    def sift(
        self, function: Callable[[Picture], Picture], pictures: Sequence[Picture]
    ) -> list[Picture]:
        kept = []
        results = ordered_map(function, (p for p in pictures if not p.decoded))
        for picture in pictures:
            result = picture if picture.decoded else next(results)
            if isinstance(result, UserError):
                self.add(picture.name, str(result))
            else:
                kept.append(result)
        return kept

    def report(self) -> None:
        for reason in self._reasons[:_WARNINGS]:
            warnings.warn(f"left out: {reason}", stacklevel=3)
        if len(self.names) > _WARNINGS:
            rest = ", ".join(self.names[_WARNINGS:])
            warnings.warn(f"left out besides, for the like reasons: {rest}", stacklevel=3)

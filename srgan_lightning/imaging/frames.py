"""A film as a folder of numbered pictures, with or without the time of each."""

import contextlib
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.imaging.video_colour import BT709, FULL, RGB, SRGB, Colour
from srgan_lightning.imaging.video_read import Look, Shot
from srgan_lightning.imaging.write import whole_file

TIMES = "frames.json"


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return what sorts names by the numbers in them.

    >>> sorted(["f10.png", "f9.png"], key=natural_key)
    ['f9.png', 'f10.png']
    """
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


class FrameFolder:
    """The pictures of a folder in the order of their numbers, as a video.

    Args:
        folder: of pictures, all of the first one's size. The times of `frames.json`, which
            `write_times` writes, are taken unless a rate is given.
        rate: pictures a second.

    Attributes:
        look: what its pictures are.
        frames: how many have been read.

    Raises:
        UserError: the folder holds no pictures, none can be read, or no rate is known.
    """

    def __init__(self, folder: Path, *, rate: Fraction | None = None) -> None:
        paths = sorted(list_images(folder), key=lambda path: natural_key(str(path)))
        if not paths:
            raise UserError(f"{folder}: holds no pictures")
        times = folder / TIMES
        if rate is not None:
            self._times = {path: index for index, path in enumerate(paths)}
            time_base = 1 / rate
        elif times.is_file():
            time_base, named = _read_times(times)
            self._times = {p: named[p.name] for p in paths if p.name in named}
        else:
            raise UserError(f"{folder}: its pictures say no frame rate; give one, as in --fps 25")
        first, document = _first_readable(folder, list(self._times))
        if document.depth == 32:
            raise UserError(f"{first}: no video holds floating-point pictures")
        height, width = document.colour.shape[:2]
        self._deep = document.depth == 16
        self._skipped: list[str] = []
        self.frames = 0
        self.look = Look(
            height=height,
            width=width,
            pixels="rgb48le" if self._deep else "rgb24",
            colour=Colour(RGB, FULL, BT709, SRGB),
            aspect=Fraction(1),
            rate=rate or self._mean_rate(time_base),
            time_base=time_base,
            lossless=first.suffix.lower() not in (".jpg", ".jpeg"),
        )

    def _mean_rate(self, time_base: Fraction) -> Fraction:
        times = sorted(self._times.values())
        if len(times) < 2:
            return Fraction(25)
        mean = (len(times) - 1) / ((times[-1] - times[0]) * time_base)
        return mean.limit_denominator(1001)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._times)

    def __iter__(self) -> Iterator[Shot]:
        """Read one picture after the other; what is broken or of another size is left out."""
        for path, time in self._times.items():
            try:
                picture = self._read(path)
            except UserError as error:
                self._skipped.append(str(error))
                continue
            self.frames += 1
            yield Shot(picture, time, 0)

    def _read(self, path: Path) -> NDArray[Any]:
        if self._deep:
            colour = read_document(path).colour
            picture = np.repeat(colour, 3 // colour.shape[2], axis=2)
        else:
            picture = read_rgb(path)
        height, width, _ = picture.shape
        if (height, width) != (self.look.height, self.look.width):
            raise UserError(f"{path}: is {width}×{height}, not the size of the first picture")
        if (picture.dtype == np.uint16) != self._deep:
            raise UserError(f"{path}: has not the bit depth of the first picture")
        return picture

    def unreadable(self) -> list[str]:
        """Say which pictures were left out."""
        return list(self._skipped)


def _first_readable(folder: Path, paths: list[Path]) -> tuple[Path, Document]:
    for path in paths:
        with contextlib.suppress(UserError):
            return path, read_document(path)
    raise UserError(f"{folder}: not one of its pictures can be read")


def write_times(folder: Path, times: dict[str, int], time_base: Fraction) -> None:
    """Write down when each picture of a folder is shown.

    Args:
        folder: that holds the pictures.
        times: by the pictures' names.
        time_base: their unit in seconds.
    """
    with whole_file(folder / TIMES) as part:
        part.write_text(json.dumps({"time_base": str(time_base), "times": times}, indent=1) + "\n")


def _read_times(path: Path) -> tuple[Fraction, dict[str, int]]:
    try:
        told = json.loads(path.read_text())
        return Fraction(told["time_base"]), {str(k): int(v) for k, v in told["times"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise UserError(f"{path}: holds no frame times ({error}); give --fps") from None

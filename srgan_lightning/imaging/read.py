"""Picture files to uint8 RGB."""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.colour import to_srgb

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})

# What Pillow raises for broken files: more than OSError.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Read a picture as a viewer shows it.

    PNG, JPEG, WebP, TIFF and BMP; 8 and 16 bits; grey, palette, CMYK; alpha over white; the EXIF
    orientation and an embedded ICC profile applied; of animations the first frame.

    Returns:
        uint8 `[H, W, 3]`, RGB.

    Raises:
        UserError: the file is missing, truncated, or no picture.
    """
    with opened(path) as image:
        return to_srgb(ImageOps.exif_transpose(image), name=str(path))


def image_size(path: str | Path) -> tuple[int, int]:
    """Return (height, width) as `read_rgb` would give them, from the file's header alone.

    Raises:
        UserError: the file is missing or no picture.
    """
    with opened(path) as image:
        width, height = image.size
        # Pillow's TIFF reader has turned the size already, the others have not.
        turned = image.format != "TIFF" and image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (width, height) if turned else (height, width)


def check_image(path: str | Path) -> None:
    """Find out, as cheaply as the format allows, whether the whole of a picture is there.

    PNG is checked by its checksums, JPEG is decoded at an eighth of its size, the others wholly.

    Raises:
        UserError: the file is missing, truncated, or no picture.
    """
    with opened(path) as image:
        if image.format == "PNG":
            image.verify()
        else:
            image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()


def list_images(folder: str | Path, *, suffixes: Set[str] = SUFFIXES) -> list[Path]:
    """Return all picture files below a folder, by suffix and in the order of their paths.

    Hidden files and folders are left out; links to folders are followed, each folder once.

    Raises:
        UserError: there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{root}: no such folder")
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link that leads upwards
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in sorted(folders) if not name.startswith(".")]
        found += [Path(place, name) for name in files if is_image_name(name, suffixes=suffixes)]
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def is_image_name(name: str, *, suffixes: Set[str] = SUFFIXES) -> bool:
    """Say whether a visible file of this name is taken for a picture.

    >>> is_image_name("a.JPG"), is_image_name(".a.jpg"), is_image_name("a.txt")
    (True, False, False)
    """
    return not name.startswith(".") and Path(name).suffix.lower() in suffixes


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """Open a picture; whatever Pillow makes of a broken file becomes a `UserError`."""
    try:
        # Not by name: Pillow would map an uncompressed TIFF into memory before it is turned, and
        # mix up its rows.
        with Path(path).open("rb") as file, Image.open(file) as image:
            yield image
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: cannot be read as a picture ({reason})") from None

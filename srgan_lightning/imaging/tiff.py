"""TIFF of 8 or 16 bits or floating point, grey or RGB, with or without opacity (TIFF 6.0)."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.document import Layout, Strips, regrouped
from srgan_lightning.imaging.png import LEVEL

_LIMIT = 2**32 - 2**24  # bytes; the rest is for the directory
_ROWS = 64  # in a strip
_CLASSIC, _BIG = b"II*\0\x08\0\0\0", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"
_OFFSETS, _LENGTHS = 273, 279
_LONG, _LONG8 = 4, 16


def encode_tiff(path: Path, layout: Layout, strips: Strips, tags: Mapping[int, Any]) -> None:
    """Write a TIFF of deflated strips, each as soon as its rows are there.

    What would have 4 GB uncompressed becomes a BigTIFF. Pillow, which writes the directory, has no
    way to write 16-bit colours.

    Args:
        path: the file.
        layout: what the picture is.
        strips: its samples: grey, grey and opacity, RGB, RGB and opacity.
        tags: what else is to stand in the directory.

    Raises:
        UserError: where the disk is full, or the picture needs more than a TIFF can tell.
    """
    floating = layout.dtype.kind == "f"
    size = layout.height * layout.width * layout.samples * layout.dtype.itemsize
    big = size >= _LIMIT
    count = -(-layout.height // _ROWS)
    head = _directory(layout, tags, [0] * count, big=big)
    lengths = []
    with path.open("w+b") as file:
        file.write(head)
        for rows in regrouped(strips, _ROWS):
            strip = isal_zlib.compress(_little(rows if floating else _differences(rows)), LEVEL)
            lengths.append(len(strip))
            file.write(strip)
        if not big and sum(lengths) >= _LIMIT:  # noise that deflates to more than it was
            raise UserError(f"{path.name}: is more than TIFF's 4 GB; name a .png file")
        file.seek(0)
        file.write(_directory(layout, tags, lengths, big=big))


def _directory(
    layout: Layout, tags: Mapping[int, Any], lengths: Sequence[int], *, big: bool
) -> bytes:
    """Return all that stands before the strips; its size does not depend on their lengths."""
    channels = layout.samples
    floating = layout.dtype.kind == "f"
    fields = {
        256: layout.width,
        257: layout.height,
        258: (8 * layout.dtype.itemsize,) * channels,
        259: 8,  # Adobe's deflate
        262: 2 if channels > 2 else 1,  # RGB, or black is zero
        _OFFSETS: tuple(accumulate(lengths[:-1], initial=0)),  # from here on: Pillow adds
        277: channels,
        278: _ROWS,
        _LENGTHS: tuple(lengths),
        284: 1,  # samples of a pixel lie together
        317: 1 if floating else 2,  # horizontal differences
        339: (3 if floating else 1,) * channels,
    }
    if layout.alpha:
        fields[338] = 2  # opacity, not multiplied into the colour
    header = _BIG if big else _CLASSIC
    directory = ImageFileDirectory_v2(header)
    for tag in (_OFFSETS, _LENGTHS):
        directory.tagtype[tag] = _LONG8 if big else _LONG
    for tag, value in {**tags, **fields}.items():
        directory[tag] = value
    return header + directory.tobytes(len(header))


def _differences(rows: NDArray[Any]) -> NDArray[Any]:
    first = np.zeros_like(rows[:, :1])
    return np.diff(rows, axis=1, prepend=first)


def _little(rows: NDArray[Any]) -> bytes:
    return rows.astype(rows.dtype.newbyteorder("<")).tobytes()

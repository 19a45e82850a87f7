"""TIFF of 8 or 16 bits or floating point, grey or RGB, with or without opacity (TIFF 6.0)."""

import zlib
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from srgan_lightning.errors import UserError

_LIMIT = 2**32 - 2**24  # bytes; the rest is for the directory
_ROWS = 64  # in a strip


def encode_tiff(path: Path, samples: NDArray[Any], tags: Mapping[int, Any]) -> None:
    """Write samples as a TIFF of deflated strips; Pillow has no way to write 16-bit colours.

    Args:
        path: the file.
        samples: uint8, uint16 or float32 `[H, W, C]`: grey, grey and opacity, RGB, RGB and opacity.
        tags: what else is to stand in the directory.

    Raises:
        UserError: for a picture of more than TIFF's 4 GB.
    """
    height, width, channels = samples.shape
    floating = samples.dtype.kind == "f"
    strips = []
    for top in range(0, height, _ROWS):
        rows = samples[top : top + _ROWS]
        strips.append(zlib.compress(_little(rows if floating else _differences(rows)), 6))
    lengths = [len(strip) for strip in strips]
    if sum(lengths) >= _LIMIT:
        raise UserError(f"{path.name}: is more than TIFF's 4 GB; name a .png file")
    layout = {
        256: width,
        257: height,
        258: (8 * samples.itemsize,) * channels,
        259: 8,  # Adobe's deflate
        262: 2 if channels > 2 else 1,  # RGB, or black is zero
        273: tuple(accumulate(lengths[:-1], initial=0)),  # behind the directory: Pillow adds
        277: channels,
        278: _ROWS,
        279: tuple(lengths),
        284: 1,  # samples of a pixel lie together
        317: 1 if floating else 2,  # horizontal differences
        339: (3 if floating else 1,) * channels,
    }
    if channels in (2, 4):
        layout[338] = 2  # opacity, not multiplied into the colour
    directory = ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    for tag, value in {**tags, **layout}.items():
        directory[tag] = value
    with path.open("wb") as file:
        directory.save(file)
        file.writelines(strips)


def _differences(rows: NDArray[Any]) -> NDArray[Any]:
    first = np.zeros_like(rows[:, :1])
    return np.diff(rows, axis=1, prepend=first)


def _little(rows: NDArray[Any]) -> bytes:
    return rows.astype(rows.dtype.newbyteorder("<")).tobytes()

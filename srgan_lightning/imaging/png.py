"""PNG of 8 or 16 bits, grey or RGB, with or without opacity (PNG specification, 3rd edition)."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from srgan_lightning.imaging.document import Layout, Strips, regrouped

LEVEL = 2  # of ISA-L: about as small as zlib's 2, in a fifth of its time

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_ROWS = 64  # filtered and compressed at a time
_AVERAGE = 3  # the filter's number

Chunk = tuple[bytes, bytes]


def encode_png(path: Path, layout: Layout, strips: Strips, chunks: Iterable[Chunk]) -> None:
    """Write a PNG, its rows as they come; Pillow has no way to write 16-bit colours.

    Args:
        path: the file.
        layout: what the picture is; uint8 or uint16.
        strips: its samples: grey, grey and opacity, RGB, RGB and opacity.
        chunks: (type, data) of what stands before the pixels.
    """
    width, channels, size = layout.width, layout.samples, layout.dtype.itemsize
    kind = _COLOUR_TYPES[channels]
    header = struct.pack(">IIBBBBB", width, layout.height, 8 * size, kind, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in ((b"IHDR", header), *chunks):
            _write(file, name, data)
        pack = isal_zlib.compressobj(LEVEL)
        above = np.zeros((1, width * channels * size), np.uint8)
        for strip in regrouped(strips, _ROWS):
            rows = np.ascontiguousarray(strip).astype(f">u{size}")
            octets = rows.view(np.uint8).reshape(len(rows), -1)
            filtered = _filtered(octets, above, channels * size)
            above = octets[-1:]
            if data := pack.compress(filtered):
                _write(file, b"IDAT", data)
        _write(file, b"IDAT", pack.flush())
        _write(file, b"IEND", b"")


def _filtered(rows: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """Subtract from each byte the mean of the left and the upper one, rounded down (section 9.3).

    In a tenth of the time of Paeth's predictor; files are 9 % smaller to 10 % larger with it.
    """
    up = np.concatenate([above, rows[:-1]])
    left = np.zeros_like(rows)
    left[:, pixel:] = rows[:, :-pixel]
    filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _AVERAGE
    filtered[:, 1:] = rows - ((left & up) + ((left ^ up) >> 1))
    return filtered


def _write(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data)
    file.write(struct.pack(">I", isal_zlib.crc32(name + data)))

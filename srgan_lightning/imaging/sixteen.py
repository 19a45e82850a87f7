"""16 bits of every sample, where Pillow has only modes of 8.

Of a sample with 16 bits Pillow takes the upper byte. Told that the bytes lie the other way round,
it takes the lower one, so that the file decoded twice gives both.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from srgan_lightning.imaging.read import opened

_SWAPPED = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


def raw_mode(image: Image.Image) -> str:
    """Tell how samples lie in a file not yet decoded, in Pillow's words, such as `RGB;16B`."""
    if not isinstance(image, ImageFile.ImageFile) or not image.tile:
        return ""
    arguments = image.tile[0].args
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def read_16_bits(path: str | Path, raw: str, *, page: int = 0) -> NDArray[np.uint16] | None:
    """Decode a page of the raw mode, upright.

    Returns:
        uint16 `[H, W, 2 to 4]`, opacity not multiplied into the colour; None for a raw mode that
        cannot be had with 16 bits.
    """
    layout, _, order = raw.partition(";")
    if raw == "LA;16B":  # four bytes a pixel, as in 8-bit RGBA
        four = _decoded(path, "RGBA", page)
        return _joined(four[..., ::2], four[..., 1::2])
    if layout not in ("RGB", "RGBA", "RGBa", "RGBX") or order not in _SWAPPED:
        return None
    straight = layout.replace("a", "A")
    upper, lower = (_decoded(path, f"{straight};{way}", page) for way in (order, _SWAPPED[order]))
    pixels = _joined(upper, lower)
    if layout == "RGBa":
        alpha = np.maximum(pixels[..., 3:], 1).astype(np.float64)
        pixels[..., :3] = np.rint(pixels[..., :3] / alpha * 65535).clip(0, 65535)
    return pixels


def _joined(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return np.bitwise_or(np.left_shift(upper, 8, dtype=np.uint16), lower, dtype=np.uint16)


def _decoded(path: str | Path, raw: str, page: int) -> NDArray[np.uint8]:
    def retold(arguments: Any) -> Any:
        return (raw, *arguments[1:]) if isinstance(arguments, tuple) else raw

    with opened(path) as image:
        assert isinstance(image, ImageFile.ImageFile)
        image.seek(page)
        image.tile = [tile._replace(args=retold(tile.args)) for tile in image.tile]
        return np.asarray(ImageOps.exif_transpose(image))

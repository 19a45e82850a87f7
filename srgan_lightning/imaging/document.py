"""A picture file taken apart: its pixels, its opacity, and all that is said about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


@dataclass(frozen=True)
class Metadata:
    """What a picture file says besides its pixels.

    Attributes:
        profile: the ICC profile, which the colours keep.
        exif: EXIF tags by number, tables below them as mappings; the orientation is applied and
            gone, and so are tags that describe how the file was laid out.
        text: PNG's texts, JPEG's comment.
        xmp: the XMP packet.
        dpi: dots per inch along x and y.
    """

    profile: bytes | None = None
    exif: dict[int, Any] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


Strips = Iterable[NDArray[Any]]  # [rows, W, 1 to 4] each, from top to bottom


@dataclass(frozen=True)
class Layout:
    """What a picture is, before its pixels are there.

    Attributes:
        height: in pixels.
        width: in pixels.
        channels: 1 for grey, 3 for RGB; opacity not counted.
        alpha: whether there is opacity.
        dtype: uint8, uint16 or float32.
        metadata: what else the file is to say.
    """

    height: int
    width: int
    channels: int
    alpha: bool
    dtype: np.dtype[Any]
    metadata: Metadata = Metadata()

    @property
    def depth(self) -> int:
        """Bits of a sample: 8, 16, or 32 (floating point)."""
        return 8 * self.dtype.itemsize

    @property
    def samples(self) -> int:
        """Samples of a pixel, opacity counted."""
        return self.channels + self.alpha


@dataclass(frozen=True)
class Document:
    """A picture file in memory.

    Attributes:
        colour: `[H, W, 1]` grey or `[H, W, 3]` RGB; uint8, uint16, or float32 of any range.
        alpha: `[H, W]` opacity of the same type, not multiplied into the colour; None if opaque.
        metadata: what else the file says.

    Raises:
        ValueError: for another shape or type.

    Example:
        >>> Document(np.zeros((4, 5, 1), np.uint16)).depth
        16
    """

    colour: NDArray[Any]
    alpha: NDArray[Any] | None = None
    metadata: Metadata = Metadata()

    def __post_init__(self) -> None:
        colour, alpha = self.colour, self.alpha
        if colour.dtype not in (*LEVELS, np.float32) or colour.shape[2:] not in ((1,), (3,)):
            raise ValueError(f"no picture: {colour.dtype} {list(colour.shape)}")
        if alpha is not None and (alpha.dtype, alpha.shape) != (colour.dtype, colour.shape[:2]):
            raise ValueError(f"no opacity of this picture: {alpha.dtype} {list(alpha.shape)}")

    @property
    def depth(self) -> int:
        """Bits of a sample: 8, 16, or 32 (floating point)."""
        return 8 * self.colour.itemsize

    @property
    def layout(self) -> Layout:
        """What it is, without its pixels."""
        height, width, channels = self.colour.shape
        alpha = self.alpha is not None
        return Layout(height, width, channels, alpha, self.colour.dtype, self.metadata)

    @property
    def samples(self) -> NDArray[Any]:
        """Colour and opacity as one array `[H, W, 1 to 4]`."""
        if self.alpha is None:
            return self.colour
        return np.concatenate([self.colour, self.alpha[..., None]], axis=2)


def regrouped(strips: Strips, rows: int) -> Iterator[NDArray[Any]]:
    """Cut strips anew, into such of `rows` rows (the last may have fewer).

    >>> [len(strip) for strip in regrouped([np.zeros((n, 1, 1)) for n in (1, 5, 2)], 3)]
    [3, 3, 2]
    """
    waiting: list[NDArray[Any]] = []
    count = 0
    for strip in strips:
        start = 0
        while start < len(strip):
            piece = strip[start : start + rows - count]
            start += len(piece)
            count += len(piece)
            waiting.append(piece)
            if count == rows:
                yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
                waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting)

"""What FFmpeg's pixel formats hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.format import VideoFormat


def _format(name: str) -> VideoFormat:
    from av.video.format import VideoFormat

    return VideoFormat(name)


def sample_bits(name: str) -> int:
    """Return the bits of a sample.

    >>> sample_bits("yuv420p"), sample_bits("yuv422p10le")
    (8, 10)
    """
    return max(component.bits for component in _format(name).components)


def is_rgb(name: str) -> bool:
    """Tell whether it holds RGB, also by way of a palette.

    >>> is_rgb("bgr24"), is_rgb("pal8"), is_rgb("yuv444p")
    (True, True, False)
    """
    pixels = _format(name)
    return pixels.is_rgb or pixels.has_palette


def is_grey(name: str) -> bool:
    """Tell whether it holds no colour.

    >>> is_grey("gray10le"), is_grey("pal8")
    (True, False)
    """
    return not is_rgb(name) and len(_format(name).components) < 3


def has_opacity(name: str) -> bool:
    """Tell whether it holds opacity, a palette's entries not counted.

    >>> has_opacity("yuva420p"), has_opacity("bgr0")
    (True, False)
    """
    pixels = _format(name)
    return not pixels.has_palette and any(part.is_alpha for part in pixels.components)


def colour_samples(name: str) -> int:
    """Return how many samples a block of 8 × 8 pixels has of a colour channel.

    >>> colour_samples("yuv420p"), colour_samples("yuv422p10le"), colour_samples("bgr24")
    (16, 32, 64)
    """
    if is_grey(name):
        return 0
    pixels = _format(name)
    return 64 if is_rgb(name) else pixels.chroma_width(8) * pixels.chroma_height(8)


def nearest_format(wanted: str, known: Iterable[str]) -> str:
    """Choose the format that loses least, and of those the one that wastes least.

    >>> nearest_format("yuv422p12le", ["yuv420p", "yuvj422p", "yuv422p10le", "yuv444p"])
    'yuv422p10le'
    """

    def cost(name: str) -> tuple[int, ...]:
        colour = colour_samples(name) - colour_samples(wanted)
        bits = sample_bits(name) - sample_bits(wanted)
        return (
            name != wanted,
            is_rgb(name) != is_rgb(wanted),
            max(0, -colour),
            max(0, -bits),
            colour + bits,
            has_opacity(name),
            name.startswith("yuvj"),
        )

    return min(known, key=cost)

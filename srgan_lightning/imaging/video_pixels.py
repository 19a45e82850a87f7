"""What FFmpeg's pixel formats hold."""

from __future__ import annotations

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
    pixels = _format(name)
    return not is_rgb(name) and not any(part.is_chroma for part in pixels.components)


def has_opacity(name: str) -> bool:
    """Tell whether it holds opacity, a palette's entries not counted.

    >>> has_opacity("yuva420p"), has_opacity("bgr0")
    (True, False)
    """
    pixels = _format(name)
    return not pixels.has_palette and any(part.is_alpha for part in pixels.components)

"""Colours of video: Y′CbCr to RGB and back by one and the same matrix and range, by swscale.

Numbers are those of ITU-T H.273: the matrix 1 is BT.709, 5 and 6 BT.601, 9 BT.2020; 2 unspecified.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.imaging.video_pixels import is_grey, is_rgb, sample_bits

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

BT709, UNSPECIFIED, BT601 = 1, 2, 6
LIMITED, FULL = 1, 2
RGB, SRGB = 0, 13
_MATRICES = {  # what swscale computes, and its names
    BT709: "bt709",
    4: "fcc",
    5: "bt470bg",
    BT601: "smpte170m",
    7: "smpte240m",
    9: "bt2020",
}
_FLAGS = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
_GAMMAS = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Colour:
    """What the numbers of a video's pictures mean.

    Attributes:
        matrix: from RGB to Y′CbCr.
        levels: 1 limited ("tv"), 2 full ("pc").
        primaries: which red, green and blue.
        transfer: which gamma.
    """

    matrix: int
    levels: int
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    @property
    def computed(self) -> int:
        """The matrix to compute with, which for an unknown one is BT.709."""
        return self.matrix if self.matrix in _MATRICES else BT709

    @property
    def gamma(self) -> str | None:
        """The name of a gamma that no picture file is shown with."""
        return _GAMMAS.get(self.transfer)


def colour_of(frame: VideoFrame, *, name: Path) -> Colour:
    """Return what a frame says of its colours.

    Where it says no matrix, it is what players take: BT.601 up to 576 lines of up to 1024 pixels,
    BT.709 above. It has to be written down: the enlarged picture would be taken for another.
    """
    matrix, levels = frame.colorspace, frame.color_range
    pixels = frame.format.name
    if is_rgb(pixels):
        return Colour(RGB, FULL, frame.color_primaries, frame.color_trc)
    if matrix == UNSPECIFIED:
        matrix = BT601 if frame.height <= 576 and frame.width <= 1024 else BT709
    elif matrix not in _MATRICES:
        warnings.warn(f"{name}: its colour matrix {matrix} is taken for BT.709", stacklevel=2)
    if levels not in (LIMITED, FULL):
        levels = FULL if pixels.startswith("yuvj") or is_grey(pixels) else LIMITED
    return Colour(matrix, levels, frame.color_primaries, frame.color_trc)


def to_rgb(frame: VideoFrame, colour: Colour) -> NDArray[Any]:
    """Turn a frame into RGB.

    Returns:
        `[H, W, 3]`; uint8, or for a frame of more than 8 bits uint16.
    """
    if colour.matrix != RGB:
        frame.colorspace, frame.color_range = colour.computed, colour.levels
    pixels = "rgb24" if sample_bits(frame.format.name) <= 8 else "rgb48le"
    rgb = frame.reformat(format=pixels, interpolation=_exactly(), dst_color_range=FULL)
    return np.asarray(rgb.to_ndarray())


class FrameMaker:
    """Turns RGB pictures of one size into frames.

    It is FFmpeg's scale filter, for that can be told where chroma samples lie: on the left of two
    pixels, as H.264 and MPEG have them where nothing else is said.

    Args:
        height: of the pictures.
        width: of the pictures.
        deep: whether they are uint16 and not uint8.
        colour: what the frames' numbers are to mean.
        pixels: the frames' pixel format.
    """

    def __init__(self, height: int, width: int, *, deep: bool, colour: Colour, pixels: str) -> None:
        from av.filter import Graph

        self._colour, self._rgb = colour, "rgb48le" if deep else "rgb24"
        matrix = "" if is_rgb(pixels) else f":out_color_matrix={_MATRICES[colour.computed]}"
        levels = "pc" if colour.levels == FULL else "tv"
        size = f"video_size={width}x{height}:pix_fmt={self._rgb}"
        self._graph = Graph()
        chain = [
            self._graph.add("buffer", f"{size}:time_base=1/1:range=pc:colorspace=gbr"),
            self._graph.add("scale", f"out_chroma_loc=left:out_range={levels}{matrix}:{_FLAGS}"),
            self._graph.add("format", f"pix_fmts={pixels}"),
            self._graph.add("buffersink"),
        ]
        for one, next_one in pairwise(chain):
            one.link_to(next_one)
        self._graph.configure()

    def make(self, picture: NDArray[Any]) -> VideoFrame:
        """Turn a picture `[H, W, 3]` into a frame without a time."""
        from av.video.frame import VideoFrame

        rgb = VideoFrame.from_ndarray(picture, format=self._rgb)
        rgb.colorspace, rgb.color_range = RGB, FULL
        self._graph.push(rgb)
        frame = self._graph.pull()
        assert isinstance(frame, VideoFrame)
        colour = self._colour
        frame.colorspace, frame.color_range = colour.matrix, colour.levels
        frame.color_primaries, frame.color_trc = colour.primaries, colour.transfer
        return frame


def _exactly() -> int:
    from av.video.reformatter import Interpolation

    exact = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    return int(Interpolation.BICUBIC | exact | Interpolation.FULL_CHR_H_INP)

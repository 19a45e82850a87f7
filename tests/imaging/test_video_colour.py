from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from srgan_lightning.imaging.video_colour import BT601, BT709, Colour, FrameMaker, colour_of, to_rgb
from srgan_lightning.imaging.video_encoder import choose_encoding
from srgan_lightning.imaging.video_read import Look

NAME = Path("clip.mp4")


def from_rgb(picture: np.ndarray, colour: Colour, pixels: str) -> av.VideoFrame:
    height, width, _ = picture.shape
    deep = picture.dtype == np.uint16
    return FrameMaker(height, width, deep=deep, colour=colour, pixels=pixels).make(picture)


WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
COLOURS = [(255, 255, 255), (0, 0, 0), (200, 30, 40), (20, 180, 60), (30, 40, 220), (9, 200, 210)]


def signal(rgb: tuple[int, int, int], matrix: int, levels: int, bits: int) -> list[int]:
    """Y′CbCr by the equations of BT.601, BT.709 and BT.2020 (non-constant luminance)."""
    red, green, blue = (value / 255 for value in rgb)
    kr, kb = WEIGHTS[matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))
    unit = 2 ** (bits - 8)
    if levels == 2:
        top = 2**bits - 1
        return [round(y * top), *(round(c * top + 128 * unit) for c in chroma)]
    return [round((16 + 219 * y) * unit), *(round((128 + 224 * c) * unit) for c in chroma)]


def flat(values: list[int], pixels: str, matrix: int, levels: int) -> av.VideoFrame:
    frame = av.VideoFrame(32, 16, pixels)
    kind = np.uint8 if pixels == "yuv420p" else np.dtype("<u2")
    for plane, value in zip(frame.planes, values, strict=True):
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, value, kind).tobytes())
    frame.colorspace, frame.color_range = matrix, levels
    return frame


@pytest.mark.parametrize("rgb", COLOURS)
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize(("pixels", "bits"), [("yuv420p", 8), ("yuv420p10le", 10)])
def test_colours_are_those_of_the_recommendations(rgb, levels, matrix, pixels, bits):
    values = signal(rgb, matrix, levels, bits)
    frame = flat(values, pixels, matrix, levels)
    colour = colour_of(frame, name=NAME)
    assert (colour.matrix, colour.levels) == (matrix, levels)
    picture = to_rgb(frame, colour)
    assert picture.dtype == (np.uint8 if bits == 8 else np.uint16)
    unit = 1 if bits == 8 else 257
    assert np.abs(picture / unit - rgb).max() < 1.5
    back = from_rgb(picture, colour, pixels)
    assert (back.colorspace, back.color_range) == (matrix, levels)
    kind = np.uint8 if bits == 8 else np.dtype("<u2")
    for plane, value in zip(back.planes, values, strict=True):
        assert abs(int(np.frombuffer(plane, kind)[0]) - value) <= bits // 5  # 2 of 1023


def test_what_is_not_said_is_what_players_take():
    for height, width, matrix in ((576, 720, BT601), (720, 1280, BT709)):
        frame = av.VideoFrame(width, height, "yuv420p")
        assert colour_of(frame, name=NAME) == Colour(matrix, 1)
    assert colour_of(av.VideoFrame(16, 16, "yuvj420p"), name=NAME).levels == 2
    assert colour_of(av.VideoFrame(16, 16, "gray"), name=NAME).levels == 2


def test_an_unknown_matrix_is_said_and_kept():
    frame = av.VideoFrame(16, 16, "yuv444p")
    frame.colorspace = 8  # YCgCo
    with pytest.warns(UserWarning, match="colour matrix 8 is taken for BT.709"):
        colour = colour_of(frame, name=NAME)
    assert from_rgb(to_rgb(frame, colour), colour, "yuv444p").colorspace == 8


def look(pixels: str, *, lossless: bool = False) -> Look:
    matrix = Colour(0, 2) if "rgb" in pixels or "bgr" in pixels else Colour(1, 1)
    second = Fraction(1, 25)
    return Look(16, 16, pixels, matrix, Fraction(1), 1 / second, second, lossless)


@pytest.mark.parametrize(
    ("name", "pixels", "lossless", "codec", "written", "lost"),
    [
        ("a.mp4", "yuv420p", False, "libx264", "yuv420p", ""),
        ("a.mp4", "yuvj422p", False, "libx264", "yuv422p", ""),
        ("a.mov", "yuv444p10le", False, "libx264", "yuv444p10le", ""),
        ("a.mkv", "yuv422p12le", False, "libx264", "yuv422p10le", "its 12 bits become 10"),
        ("a.mp4", "gray", True, "libx264", "yuv420p", ""),
        ("a.mp4", "rgb24", True, "libx264", "yuv420p", "its rgb24 becomes yuv420p"),
        ("a.mkv", "bgr24", True, "ffv1", "bgr0", ""),
        ("a.mkv", "rgb48le", True, "ffv1", "gbrp16le", ""),
        ("a.avi", "yuv411p", True, "ffv1", "yuv411p", ""),
        ("a.avi", "yuv444p", False, "mpeg4", "yuv420p", "its yuv444p becomes yuv420p"),
        ("a.webm", "yuva420p", False, "libvpx-vp9", "yuv420p", "no place for its opacity"),
        ("a.mpg", "yuv420p", False, "mpeg2video", "yuv420p", ""),
    ],
)
def test_the_encoder_comes_near_and_says_what_is_lost(name, pixels, lossless, codec, written, lost):
    with av.open(name, "w") as container:
        encoding = choose_encoding(container, look(pixels, lossless=lossless))
    assert (encoding.codec, encoding.pixels) == (codec, written)
    assert ", ".join(encoding.losses) == lost
    if "rgb" in pixels or "bgr" in pixels:
        assert encoding.colour.matrix == (0 if codec == "ffv1" else 1)


def test_chroma_lies_where_h264_has_it():
    """On a slope along the width, the chroma sample of two pixels is that of the left one."""
    picture = np.full((16, 64, 3), (0, 60, 40), np.uint8)
    picture[..., 0] = 20 + 3 * np.arange(64)
    planes = [
        np.frombuffer(frame.planes[2], np.uint8).reshape(-1, frame.planes[2].line_size)[4]
        for frame in (from_rgb(picture, Colour(1, 1), name) for name in ("yuv420p", "yuv444p"))
    ]
    assert np.abs(planes[0][4:28].astype(int) - planes[1][8:56:2]).max() <= 1
    mean = (planes[0][4:28].astype(float) - planes[1][8:56:2]).mean()
    assert abs(mean) < 0.25

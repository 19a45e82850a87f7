"""Which encoder, pixel format and unit of time a video is written with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from srgan_lightning.imaging.video_colour import BT709, LIMITED, RGB, Colour
from srgan_lightning.imaging.video_pixels import (
    colour_samples,
    has_opacity,
    is_grey,
    is_rgb,
    nearest_format,
    sample_bits,
)
from srgan_lightning.imaging.video_read import Look

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

Options = dict[str, str]

# Quality first: these are near what the eye tells from the original, and x4 is large anyway.
_X264 = "libx264", {"crf": "16", "preset": "medium"}
_VP9 = "libvpx-vp9", {"crf": "18", "b:v": "0", "row-mt": "1", "cpu-used": "3"}
_VP8 = "libvpx", {"crf": "6", "b:v": "50M", "cpu-used": "3"}
_FFV1 = "ffv1", {"level": "3", "slicecrc": "1"}
_ENCODERS: dict[str, tuple[str, Options]] = {
    **dict.fromkeys(("mp4", "ipod", "mov", "f4v", "3gp", "3g2", "matroska"), _X264),
    **dict.fromkeys(("mpegts", "flv", "nut"), _X264),
    **dict.fromkeys(("mpeg", "svcd", "vob", "dvd", "mxf", "mpeg2video"), ("mpeg2video", {})),
    **dict.fromkeys(("ogg", "ogv"), _VP8),
    "webm": _VP9,
    "asf": ("wmv2", {}),
}
_KEEP_LOSSLESS = {"matroska", "avi", "nut"}
_FREE_CLOCKS = {"libx264", "libvpx-vp9", "libvpx", "ffv1"}  # the others count whole frames
_FIXED_RATES = {"avi", "mxf"}
_QUANTISER = 2 * 118  # 2 in FFmpeg's own unit, for encoders without a crf
_FRAME_DURATION = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION


@dataclass(frozen=True)
class Encoding:
    """How a video is written.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: its own.
        pixels: the pixel format.
        colour: what the numbers will mean.
        clock: the unit of a frame's time, in seconds.
        losses: what the encoder cannot hold.
    """

    codec: str
    options: Options
    pixels: str
    colour: Colour
    clock: Fraction
    losses: tuple[str, ...]


def choose_encoding(container: OutputContainer, look: Look) -> Encoding:
    """Choose for a container what comes nearest to the pictures that will be written.

    Args:
        container: open, without streams.
        look: of the pictures.
    """
    kind = container.format.name
    if look.lossless and kind in _KEEP_LOSSLESS:
        codec, options = _FFV1
    else:
        codec, options = _ENCODERS.get(kind, (container.default_video_codec, {}))
    pixels, losses = _pixel_format(codec, look)
    colour = look.colour
    if colour.matrix == RGB and not is_rgb(pixels):
        colour = replace(colour, matrix=BT709, levels=LIMITED)
    free = codec in _FREE_CLOCKS and kind not in _FIXED_RATES
    clock = look.time_base if free else 1 / look.rate
    return Encoding(codec, dict(options), pixels, colour, clock, losses)


def add_encoder(container: OutputContainer, look: Look, encoding: Encoding) -> VideoStream:
    """Add the stream of pictures, its encoder opened.

    Raises:
        FFmpegError: the encoder refuses, of the size for instance.
        ValueError: there is no such encoder.
    """
    stream: VideoStream = container.add_stream(  # type: ignore[assignment]
        encoding.codec,
        look.rate,
        encoding.options,
        width=look.width,
        height=look.height,
        time_base=encoding.clock,
    )
    context, colour = stream.codec_context, encoding.colour
    context.pix_fmt = encoding.pixels
    context.colorspace, context.color_range = colour.matrix, colour.levels
    context.color_primaries, context.color_trc = colour.primaries, colour.transfer
    context.sample_aspect_ratio = look.aspect
    context.thread_count = 0
    context.flags |= _FRAME_DURATION
    if "crf" not in encoding.options and encoding.codec != "ffv1":
        context.qscale, context.global_quality = True, _QUANTISER
    context.open()
    return stream


def _pixel_format(codec: str, look: Look) -> tuple[str, tuple[str, ...]]:
    """Return the pixel format of a codec that comes nearest, and what is lost by it."""
    from av.codec.codec import Codec

    given, wanted = look.pixels, _wanted(look.pixels, lossless=codec == "ffv1")
    known = [pixels.name for pixels in Codec(codec, "w").video_formats or ()]
    chosen = nearest_format(wanted, known) if known else wanted
    losses = []
    if sample_bits(chosen) < sample_bits(given):
        losses.append(f"its {sample_bits(given)} bits become {sample_bits(chosen)}")
    if not is_grey(given) and colour_samples(chosen) < colour_samples(given):
        losses.append(f"its {given} becomes {chosen}")
    if has_opacity(given):
        losses.append("no place for its opacity")
    return chosen, tuple(losses)


def _wanted(given: str, *, lossless: bool) -> str:
    """Name the pixel format to look for: of a lossy codec one that all players know."""
    deep = sample_bits(given) > 8
    if lossless and is_rgb(given):
        return "gbrp16le" if deep else "bgr0"
    if not lossless and (is_rgb(given) or is_grey(given)):
        return "yuv420p10le" if deep else "yuv420p"
    return given.replace("yuvj", "yuv").replace("yuva", "yuv")

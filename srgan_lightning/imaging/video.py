"""Video files, by PyAV: which they are, opened, and what their headers say."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".m2t", ".m2ts", ".m2v", ".m4v", ".mkv"}
    | {".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm"}
    | {".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)


def is_video(path: Path) -> bool:
    """Tell video by the file's suffix.

    >>> is_video(Path("clip.MP4")), is_video(Path("clip.gif"))
    (True, False)
    """
    return path.suffix.lower() in VIDEO_SUFFIXES


def require_pyav(path: Path) -> None:
    """Make sure that PyAV is there, before anything else of it is used.

    Raises:
        UserError: it is not, or a library that it needs is not.
    """
    try:
        importlib.import_module("av")
    except ImportError:
        raise UserError(f"{path}: video wants PyAV: pip install 'srgan-lightning[video]'") from None


@contextlib.contextmanager
def opened_video(path: Path) -> Iterator[InputContainer]:
    """Open a video; whatever FFmpeg makes of a broken file becomes a `UserError`.

    Raises:
        UserError: PyAV is absent, the file is missing or broken, or holds no video.
    """
    require_pyav(path)
    import av

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise UserError(f"{path}: holds no video")
            if main_stream(container).codec_context is None:
                raise UserError(f"{path}: FFmpeg has no decoder for its video")
            yield container
    except av.FFmpegError as error:
        raise UserError(f"{path}: cannot be read as video ({error.strerror})") from None


def main_stream(container: InputContainer) -> VideoStream:
    """Return the stream that is the film: the first that is no cover picture."""
    from av.stream import Disposition

    videos = container.streams.video
    films = [s for s in videos if Disposition.attached_pic not in s.disposition]
    return (films or videos)[0]


def frame_rate(stream: VideoStream) -> Fraction:
    """Return frames a second, a mean where that varies; 25 where nothing is said."""
    return stream.guessed_rate or stream.average_rate or Fraction(25)


def frame_count(container: InputContainer, stream: VideoStream) -> int:
    """Return the number of frames that the headers promise or, where they do not, suggest."""
    if stream.frames:
        return stream.frames
    if stream.duration is not None and stream.time_base is not None:
        seconds = stream.duration * stream.time_base
    else:
        seconds = Fraction(container.duration or 0, 1_000_000)
    return max(1, round(seconds * frame_rate(stream)))


def video_pixels(path: Path) -> int:
    """Return frames × height × width, from the headers.

    Raises:
        UserError: as `opened_video` does.
    """
    with opened_video(path) as container:
        stream = main_stream(container)
        return frame_count(container, stream) * stream.width * stream.height


def video_depth(path: Path) -> int:
    """Return the bits of a sample in memory: 8, or 16 for whatever has more than 8.

    Raises:
        UserError: as `opened_video` does.
    """
    from srgan_lightning.imaging.video_pixels import sample_bits

    with opened_video(path) as container:
        pixels = main_stream(container).pix_fmt
        return 8 if pixels is None or sample_bits(pixels) <= 8 else 16

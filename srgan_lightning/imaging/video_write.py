"""A video written picture by picture, with whatever is copied from another."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.video import require_pyav
from srgan_lightning.imaging.video_colour import FrameMaker
from srgan_lightning.imaging.video_encoder import add_encoder, choose_encoding
from srgan_lightning.imaging.video_pixels import sample_bits
from srgan_lightning.imaging.video_read import Look, Shot, VideoReader

if TYPE_CHECKING:
    from types import TracebackType

    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

_OWN_TAGS = {"encoder", "software", "major_brand", "minor_version", "compatible_brands", "duration"}

_MP4_KINDS = {"mp4", "mov", "ipod", "f4v", "3gp", "3g2"}


class VideoWriter:
    """A video to be written; use it in a `with` statement.

    MP4, MOV, Matroska, MPEG-TS and FLV get H.264, WebM VP9, the others what FFmpeg gives them; from
    a lossless codec to Matroska or AVI it is FFV1, lossless too. Pixel format, colour, aspect and
    times are the given ones, as far as the codec has them. What has no place in the container is
    said in one warning when all is written.

    Args:
        part: the file to write.
        target: the name that it will get; its suffix says which container.
        look: of the pictures that will come.
        provenance: goes behind the comment, by keyword.
        source: whose sound, subtitles, chapters and titles are copied.

    Raises:
        UserError: PyAV is absent, no container is known by that suffix, its encoder refuses, or
            the disk is full.
    """

    def __init__(
        self,
        part: Path,
        target: Path,
        look: Look,
        *,
        provenance: Mapping[str, str],
        source: VideoReader | None = None,
    ) -> None:
        require_pyav(target)
        import av

        try:
            kind = av.open(str(target), "w").format.name  # opens no file yet
        except ValueError:
            raise UserError(f"{target}: FFmpeg writes no such file; name .mp4 or .mkv") from None
        self._part, self._target, self._look = part, target, look
        self._container: OutputContainer = av.open(str(part), "w", format=kind)
        self._encoding = choose_encoding(self._container, look)
        self._maker = FrameMaker(
            look.height,
            look.width,
            deep=sample_bits(look.pixels) > 8,
            colour=self._encoding.colour,
            pixels=self._encoding.pixels,
        )
        self._losses = list(self._encoding.losses)
        self._copied: dict[int, Stream] = {}
        self._last: int | None = None
        self._rounded = False
        self.refused = 0
        size = f"{look.width}×{look.height}"
        told = f"{self._encoding.codec} takes no {size} pictures at {look.rate} a second"
        with self._telling(told):
            self._stream = add_encoder(self._container, look, self._encoding)
        with self._telling("cannot be written"):
            if source is not None:
                self._copy_from(source)
            self._tags = dict(self._container.metadata)
            text = "; ".join(f"{key}: {value}" for key, value in provenance.items())
            if comment := "\n".join(filter(None, [self._tags.get("comment"), text])):
                self._tags["comment"] = comment
            self._container.metadata.update(self._tags)
            if kind in _MP4_KINDS:  # else the first frame's time is rounded to milliseconds
                unit = str(self._encoding.clock.denominator)
                self._container.container_options["movie_timescale"] = unit
            self._container.start_encoding()

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        from av import FFmpegError

        try:
            yield
        except (FFmpegError, ValueError) as error:
            reason = error.strerror if isinstance(error, FFmpegError) else error
            raise UserError(f"{self._target}: {what} ({reason})") from None

    def __enter__(self) -> Self:
        """Go on to write pictures."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file; of one that was broken off nothing is said."""
        if kind is not None:
            with contextlib.suppress(Exception):
                self._container.close()
            return
        with self._telling("cannot be written"):
            self._container.mux(self._stream.encode(None))
            self._container.close()
        self._warn()

    def write(self, shot: Shot) -> None:
        """Encode the next picture.

        Raises:
            UserError: the disk is full.
        """
        unit = self._look.time_base / self._encoding.clock
        exact = shot.time * unit
        time = round(exact)
        self._rounded |= abs(exact - time) > 0.1
        if self._last is not None and time <= self._last:
            time, self._rounded = self._last + 1, True
        self._last = time
        frame = self._maker.make(shot.picture)
        frame.pts, frame.time_base = time, self._encoding.clock
        frame.duration = round(shot.duration * unit)
        with self._telling("cannot be written"):
            self._container.mux(self._stream.encode(frame))

    def copy(self, packet: Packet[Stream]) -> None:
        """Copy a packet of sound or subtitles, if its stream has a place here.

        Raises:
            UserError: the disk is full.
        """
        from av.error import ArgumentError, InvalidDataError

        copied = self._copied.get(packet.stream_index)
        if copied is None:
            return
        packet.stream = copied
        with self._telling("cannot be written"):
            try:
                self._container.mux(packet)
            except (ArgumentError, InvalidDataError):  # a broken packet, or one out of order
                self.refused += 1

    def _copy_from(self, source: VideoReader) -> None:
        refused: Counter[str] = Counter()
        chapters = source.container.chapters()
        for stream in source.others():
            if stream.type == "data" and chapters:
                continue  # the chapters' own track
            if stream.type in ("video", "data") or not _takes(self._container, stream):
                refused[stream.type] += 1
                continue
            copied = self._container.add_stream_from_template(stream)
            copied.metadata.update(stream.metadata)
            copied.disposition = stream.disposition
            self._copied[stream.index] = copied
        self._losses += [f"no place for {n} {kind} stream(s)" for kind, n in refused.items()]
        tags = source.container.metadata
        self._container.metadata.update({k: v for k, v in tags.items() if k not in _OWN_TAGS})
        self._stream.metadata.update(
            {k: v for k, v in source.stream.metadata.items() if k in ("language", "title")}
        )
        if chapters:
            self._container.set_chapters(chapters)

    def _warn(self) -> None:
        import av

        if self._rounded:
            self._losses.append("times are rounded to whole frames")
        with av.open(str(self._part), metadata_errors="replace") as container:
            there = {
                key.lower() for tags in (container, *container.streams) for key in tags.metadata
            }
        if lost := [key for key in self._tags if key.lower() not in there]:
            self._losses.append(f"no place for {', '.join(lost)}")
        if self._losses:
            kind, losses = self._encoding.codec, ", ".join(self._losses)
            warnings.warn(f"{self._target}: written as {kind}: {losses}", stacklevel=3)


def _takes(container: OutputContainer, stream: Stream) -> bool:
    """Find out by a file in memory whether a kind of container takes a stream."""
    import av

    try:
        with av.open(io.BytesIO(), "w", format=container.format.name) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True

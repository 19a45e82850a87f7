"""A video read from its first to its last packet, whatever is broken in between."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.video import frame_rate, main_stream
from srgan_lightning.imaging.video_colour import Colour, colour_of, to_rgb

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

_LEFT_OUT = {  # FFmpeg's names of what a frame carries besides, and a person's
    "A53_CC": "its closed captions",
    "MASTERING_DISPLAY_METADATA": "its HDR mastering data",
    "DYNAMIC_HDR_PLUS": "its HDR10+",
    "DOVI_METADATA": "its Dolby Vision",
    "STEREO3D": "its 3D layout",
    "SPHERICAL": "its 360° layout",
}


_INVENT_TIMES = 1  # AVFMT_FLAG_GENPTS, which PyAV sets: AVI's times come out in wrong order


@dataclass(frozen=True)
class Look:
    """What an encoder has to know of a video's pictures.

    Attributes:
        height: of the upright picture.
        width: of the upright picture.
        pixels: the pixel format.
        colour: what the numbers mean.
        aspect: a pixel's width to its height.
        rate: frames a second, the mean where it varies.
        time_base: the unit of a frame's time, in seconds.
        lossless: whether the pictures came from a lossless codec.
    """

    height: int
    width: int
    pixels: str
    colour: Colour
    aspect: Fraction
    rate: Fraction
    time_base: Fraction
    lossless: bool


@dataclass(frozen=True)
class Shot:
    """A picture of a video.

    Attributes:
        picture: uint8 or uint16 `[H, W, 3]`, RGB, upright.
        time: when it is shown, in units of the time base.
        duration: for how long, in the same units; 0 if that is not said.
    """

    picture: NDArray[Any]
    time: int
    duration: int


class VideoReader:
    """The pictures and the other packets of a video, in the order of the file.

    Rotation and mirroring are applied. What cannot be read is left out and noted; what the decoder
    mends is used and noted.

    Args:
        container: an open video.
        path: its name.

    Attributes:
        look: what its pictures are.
        frames: how many have been read.

    Raises:
        UserError: not one frame can be decoded.
    """

    def __init__(self, container: InputContainer, path: Path) -> None:
        self.container = container
        self.stream = main_stream(container)
        self.stream.thread_type = "AUTO"
        self.frames = 0
        self._path = path
        self._packets = self._undecodable = self._damaged = self._changed = 0
        self._stopped: str | None = None
        self._last: int | None = None
        self._clock = _Clock()
        self.container.flags &= ~_INVENT_TIMES
        self._events = self._decoded()
        self._first = list(_until_frame(self._events))
        if not self._first or not _is_frame(self._first[-1]):
            reason = self._stopped or "not one frame can be decoded"
            raise UserError(f"{path}: cannot be read as video ({reason})")
        frame = self._first[-1]
        self._size = frame.height, frame.width
        sides: Any = frame.side_data  # typed as a dictionary of motion vectors alone
        carried = {side.type.name: bytes(side) for side in sides}
        self._orientation = _orientation(carried.get("DISPLAYMATRIX"), path)
        self.look = self._look(frame)
        if lost := [word for name, word in _LEFT_OUT.items() if name in carried]:
            warnings.warn(f"{path}: without {', '.join(lost)} from here on", stacklevel=2)
        if frame.interlaced_frame:
            warnings.warn(
                f"{path}: is interlaced; both its fields are enlarged as one picture, so that "
                "combs become coarser: deinterlace it first",
                stacklevel=2,
            )

    def _look(self, frame: VideoFrame) -> Look:
        turned = self._orientation[0]
        height, width = self._size[::-1] if turned else self._size
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        assert self.stream.time_base is not None
        return Look(
            height=height,
            width=width,
            pixels=frame.format.name,
            colour=colour_of(frame, name=self._path),
            aspect=1 / aspect if turned else aspect,
            rate=frame_rate(self.stream),
            time_base=self.stream.time_base,
            lossless=self.stream.codec_context.codec.lossless
            and not self.stream.codec_context.codec.lossy,
        )

    def others(self) -> list[Stream]:
        """Return the streams besides the film."""
        return [stream for stream in self.container.streams if stream.index != self.stream.index]

    def __iter__(self) -> Iterator[Shot | Packet[Stream]]:
        """Go through the file once."""
        for event in itertools.chain(self._first, self._events):
            if not _is_frame(event):
                yield event
            elif (event.height, event.width) != self._size or event.format.name != self.look.pixels:
                self._changed += 1
            else:
                self.frames += 1
                self._damaged += event.is_corrupt
                yield self._shot(event)

    def _shot(self, frame: VideoFrame) -> Shot:
        """Take a frame's time as it is, unless there is none or it does not go forwards."""
        step = max(1, round(1 / (self.look.rate * self.look.time_base)))
        time = self._clock.read(frame.pts, frame.dts)
        if self._last is None:
            time = 0 if time is None else time
        elif time is None or time <= self._last:
            time = self._last + step
        self._last = time
        return Shot(self._upright(to_rgb(frame, self.look.colour)), time, frame.duration)

    def _upright(self, picture: NDArray[Any]) -> NDArray[Any]:
        turned, mirrored, upside_down = self._orientation
        if turned:
            picture = picture.swapaxes(0, 1)
        picture = picture[:, ::-1] if mirrored else picture
        return np.ascontiguousarray(picture[::-1] if upside_down else picture)

    def _decoded(self) -> Iterator[Any]:
        """Yield frames of the film, and packets of all else."""
        from av import FFmpegError

        packets = self.container.demux()
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._stopped = error.strerror
                packet = None
            if packet is None:
                break
            if packet.stream_index != self.stream.index:
                if packet.size:
                    yield packet
            elif packet.size:
                self._packets += 1
                yield from self._frames_of(packet)
        yield from self._frames_of(None)

    def _frames_of(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        from av import FFmpegError

        try:
            return self.stream.decode(packet)
        except FFmpegError:
            self._undecodable += packet is not None
            return []

    def unreadable(self) -> list[str]:
        """Say what could not be read, once all is; nothing if all could."""
        notes = []
        promised = self.stream.frames
        if self._stopped is not None:
            notes.append(f"reading stopped after {self.frames} frames ({self._stopped})")
        elif 0 < self._packets < promised:
            notes.append(f"the file ends after {self._packets} of {promised} frames")
        notes += container_errors(self._path)
        if self._undecodable:
            notes.append(f"{self._undecodable} frames cannot be decoded")
        if self._damaged:
            notes.append(f"{self._damaged} frames are damaged and were mended by the decoder")
        if self._changed:
            notes.append(f"{self._changed} frames of another size or format are left out")
        return notes


class _Clock:
    """Choose between presentation and decoding times as FFmpeg does: the one with fewer faults."""

    def __init__(self) -> None:
        self._faults = [0, 0]
        self._last: list[int | None] = [None, None]

    def read(self, shown: int | None, decoded: int | None) -> int | None:
        for index, time in enumerate((shown, decoded)):
            last = self._last[index]
            if time is not None:
                self._faults[index] += last is not None and time <= last
                self._last[index] = time
        late = self._faults[0] > self._faults[1] and decoded is not None
        return decoded if shown is None or late else shown


def container_errors(path: Path) -> list[str]:
    """Return what FFmpeg complains of when it goes through a file without decoding it.

    Some containers skip what is broken and never tell a caller, but in the log. It is heard in a
    pass of its own, for there no decoder's thread can wait for Python's lock.
    """
    import av

    kind, terse = "", av.logging.get_skip_repeated()
    with av.logging.Capture() as messages:
        av.logging.set_skip_repeated(False)
        av.logging.set_level(av.logging.ERROR)
        try:
            with av.open(str(path), metadata_errors="replace") as container:
                kind = container.format.name
                for _ in container.demux():
                    pass
        except av.FFmpegError:
            pass  # reading has met the same and noted it
        finally:
            av.logging.set_level(None)
            av.logging.set_skip_repeated(terse)
    return sorted({" ".join(text.split()) for _, name, text in messages if name == kind})


def _until_frame(events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        yield event
        if _is_frame(event):
            return


def _is_frame(event: Any) -> bool:
    from av.video.frame import VideoFrame

    return isinstance(event, VideoFrame)


def _orientation(display: bytes | None, path: Path) -> tuple[bool, bool, bool]:
    """Return how a display matrix lays the picture: transposed, then mirrored, upside down.

    A point (x, y) is shown at (a·x + c·y, b·x + d·y), with a, b, c, d at 0, 1, 3, 4.
    """
    if display is None:
        return False, False, False
    (a, b), (c, d) = np.frombuffer(display, np.int32).reshape(3, 3)[:2, :2].tolist()
    if b == c == 0 and a and d:
        return False, a < 0, d < 0
    if a == d == 0 and b and c:
        return True, c < 0, b < 0
    warnings.warn(f"{path}: is turned by no right angle, which is left out", stacklevel=3)
    return False, False, False

"""A video enlarged picture by picture: a few in memory at a time, the rest kept."""

import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.imaging.frames import FrameFolder, write_times
from srgan_lightning.imaging.video import opened_video
from srgan_lightning.imaging.video_read import Look, Shot, VideoReader
from srgan_lightning.imaging.video_write import VideoWriter
from srgan_lightning.imaging.write import whole_file
from srgan_lightning.inference.size import Wanted
from srgan_lightning.inference.upscaler import OnTile, Upscaler

_WAITING = 2  # pictures and packets that the encoder may lag behind


@dataclass(frozen=True)
class Report:
    """What became of a video.

    Attributes:
        frames: how many were read, enlarged and written.
        unreadable: what could not be read, a phrase each; empty if all could.
    """

    frames: int
    unreadable: tuple[str, ...]


def enlarge_video(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    wanted: Wanted | None = None,
    provenance: Mapping[str, str],
    on_tile: OnTile | None = None,
) -> Report:
    """Enlarge a video.

    Frame times, colour and aspect stay what they are, rotation is applied; sound, subtitles,
    chapters and titles are copied. Of a broken video what can be read is written.

    Args:
        source: the video to read.
        target: the video to write; its suffix says which container.
        upscaler: of 8 bits it computes at its own precision, of more in float32.
        wanted: the size; None is what the model makes.
        provenance: goes to the comment.
        on_tile: as `Upscaler.enlarge` takes it.

    Raises:
        UserError: no frame of the source can be read, or the target cannot be written.
    """
    with opened_video(source) as container:
        reader = VideoReader(container, source)
        look = _enlarged(reader.look, upscaler, wanted)
        with (
            whole_file(target) as part,
            VideoWriter(part, target, look, provenance=provenance, source=reader) as writer,
        ):
            _write(reader, writer, look, upscaler, on_tile)
        unreadable = reader.unreadable()
        if writer.refused:
            unreadable.append(f"{writer.refused} packets of sound or subtitles are left out")
        return Report(reader.frames, tuple(unreadable))


def enlarge_frames(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    rate: Fraction | None = None,
    wanted: Wanted | None = None,
    provenance: Mapping[str, str],
    on_tile: OnTile | None = None,
) -> Report:
    """Enlarge a folder of numbered pictures to a video.

    Args:
        source: the folder.
        target: as `enlarge_video` takes it.
        upscaler: as `enlarge_video` takes it.
        rate: pictures a second; None takes the times that `enlarge_to_frames` wrote down.
        wanted: as `enlarge_video` takes it.
        provenance: as `enlarge_video` takes it.
        on_tile: as `Upscaler.enlarge` takes it.

    Raises:
        UserError: no picture can be read, no rate is known, or the target cannot be written.
    """
    folder = FrameFolder(source, rate=rate)
    look = _enlarged(folder.look, upscaler, wanted)
    with (
        whole_file(target) as part,
        VideoWriter(part, target, look, provenance=provenance) as writer,
    ):
        _write(folder, writer, look, upscaler, on_tile)
    return Report(folder.frames, tuple(folder.unreadable()))


def enlarge_to_frames(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    wanted: Wanted | None = None,
    provenance: Mapping[str, str],
    on_tile: OnTile | None = None,
) -> Report:
    """Enlarge a video to a folder of PNG pictures: 000001.png and so on, their times beside them.

    Args:
        source: the video.
        target: the folder; it is made where it is missing.
        upscaler: as `enlarge_video` takes it.
        wanted: as `enlarge_video` takes it.
        provenance: goes to each picture's texts.
        on_tile: as `Upscaler.enlarge` takes it.

    Raises:
        UserError: no frame of the source can be read.
    """
    times = {}
    with opened_video(source) as container:
        reader = VideoReader(container, source)
        look = _enlarged(reader.look, upscaler, wanted)
        lost = ["its sound"] if container.streams.audio else []
        lost += ["its subtitles"] if container.streams.subtitles else []
        if gamma := reader.look.colour.gamma:
            lost.append(f"its {gamma} gamma, without which pictures look pale")
        if lost:
            warnings.warn(f"{target}: pictures have no place for {', '.join(lost)}", stacklevel=2)
        for event in reader:
            if isinstance(event, Shot):
                name = f"{reader.frames:06d}.png"
                size = look.height, look.width
                picture = upscaler.enlarge(event.picture, size=size, on_tile=on_tile)
                write_document(target / name, Document(picture), provenance=provenance)
                times[name] = event.time
        write_times(target, times, reader.look.time_base)
        return Report(reader.frames, tuple(reader.unreadable()))


def _enlarged(look: Look, upscaler: Upscaler, wanted: Wanted | None) -> Look:
    height, width = (wanted or Wanted()).of(look.height, look.width, most=upscaler.scale)
    return replace(look, height=height, width=width)


def _write(
    events: Iterable[Any],
    writer: VideoWriter,
    look: Look,
    upscaler: Upscaler,
    on_tile: OnTile | None,
) -> None:
    """Write pictures enlarged, and packets as they are; the encoder has a thread of its own."""
    jobs: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as encoder:
        for event in events:
            if isinstance(event, Shot):
                size = look.height, look.width
                picture = upscaler.enlarge(event.picture, size=size, on_tile=on_tile)
                jobs.append(encoder.submit(writer.write, replace(event, picture=picture)))
            else:
                jobs.append(encoder.submit(writer.copy, event))
            while len(jobs) > _WAITING:
                jobs.popleft().result()
        for job in jobs:
            job.result()

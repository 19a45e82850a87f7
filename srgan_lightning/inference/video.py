"""A video enlarged picture by picture: one in memory at a time, the rest kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from srgan_lightning.imaging.video import opened_video
from srgan_lightning.imaging.video_read import Shot, VideoReader
from srgan_lightning.imaging.video_write import VideoWriter
from srgan_lightning.imaging.write import whole_file
from srgan_lightning.inference.upscaler import Upscaler


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
    provenance: Mapping[str, str],
    on_tile: Callable[[int], None] | None = None,
) -> Report:
    """Enlarge a video.

    Frame times, colour and aspect stay what they are, rotation is applied; sound, subtitles,
    chapters and titles are copied. Of a broken video what can be read is written.

    Args:
        source: the video to read.
        target: the video to write; its suffix says which container.
        upscaler: of 8 bits it computes at its own precision, of more in float32.
        provenance: goes to the comment.
        on_tile: as `Upscaler.enlarge` takes it.

    Raises:
        UserError: no frame of the source can be read, or the target cannot be written.
    """
    with opened_video(source) as container:
        reader = VideoReader(container, source)
        scale = upscaler.scale
        look = reader.look
        look = replace(look, height=look.height * scale, width=look.width * scale)
        with (
            whole_file(target) as part,
            VideoWriter(part, target, look, provenance=provenance, source=reader) as writer,
        ):
            for event in reader:
                if isinstance(event, Shot):
                    picture = upscaler.enlarge(event.picture, on_tile=on_tile)
                    writer.write(replace(event, picture=picture))
                else:
                    writer.copy(event)
        unreadable = reader.unreadable()
        if writer.refused:
            unreadable.append(f"{writer.refused} packets of sound or subtitles are left out")
    return Report(reader.frames, tuple(unreadable))

"""Small video files for tests, and an independent look at them."""

import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FFMPEG = shutil.which("ffmpeg")


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    matrix: int = 1,
    levels: int = 1,
    aspect: Fraction = Fraction(1),
    degrees: int = 0,
    sound: bool = False,
    tags: dict[str, str] | None = None,
    chapters: list[Any] | None = None,
) -> Path:
    """Write RGB pictures by PyAV alone; of their colours FFmpeg's own filter makes Y′CbCr."""
    height, width, _ = pictures[0].shape
    fine = {"movie_timescale": str(time_base.denominator)}  # else a start is rounded to 1 ms
    settings = fine if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", container_options=settings) as container:
        options = {"crf": "1"} if codec == "libx264" else {}
        stream = container.add_stream(
            codec, 25, options, width=width, height=height, time_base=time_base
        )
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, levels
        context.color_primaries = context.color_trc = matrix
        context.sample_aspect_ratio = aspect
        if degrees:
            stream.set_display_rotation(degrees)
        container.metadata.update(tags or {})
        container.set_chapters(chapters or [])
        tone = container.add_stream("aac", 8000) if sound else None
        if tone is not None:
            tone.metadata["language"] = "fra"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame = frame.reformat(
                format=pixels, dst_colorspace=matrix, src_color_range=2, dst_color_range=levels
            )
            frame.pts = number if times is None else times[number]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            wave = np.sin(np.arange(8 * 1024) / 5).astype(np.float32)[None]
            for number in range(8):
                part = wave[:, number * 1024 : (number + 1) * 1024].repeat(2, axis=0)
                samples = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "fltp", "stereo")
                samples.sample_rate, samples.pts = 8000, number * 1024
                container.mux(tone.encode(samples))
            container.mux(tone.encode(None))
    return path


def moving(count: int, height: int = 12, width: int = 16) -> list[np.ndarray]:
    """Make pictures that differ, smooth enough to survive a codec."""
    rows, columns = np.mgrid[:height, :width]
    return [
        np.stack(
            [40 + 4 * columns, 30 + 5 * rows, np.full_like(rows, 20 + 9 * (n % 20))], axis=2
        ).astype(np.uint8)
        for n in range(count)
    ]


def times_of(path: Path) -> list[Fraction]:
    """Return when each frame is shown, in seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets_of(path: Path, kind: str) -> list[bytes]:
    """Return the payload of a kind of stream."""
    with av.open(str(path)) as container:
        stream = container.streams.best(kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def first_picture(path: Path) -> np.ndarray:
    """Decode the first frame to RGB as FFmpeg's program would, from what the file says."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.to_ndarray(format="rgb24")


def ffmpeg(*arguments: object) -> None:
    """Run FFmpeg's own program."""
    assert FFMPEG is not None
    command = [FFMPEG, "-y", "-v", "error", *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True)

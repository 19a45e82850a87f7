import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FFMPEG, ffmpeg, first_picture, moving, packets_of, times_of, write_clip

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.imaging.video import is_video, opened_video, video_depth, video_pixels
from srgan_lightning.imaging.video_read import VideoReader
from srgan_lightning.imaging.video_write import VideoWriter
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.inference.video import Report, enlarge_frames, enlarge_video

TOLD = {"Software": "srgan-lightning 1", "Model": "nearest"}
COUNT = 7


@pytest.fixture(scope="module")
def upscaler() -> TorchUpscaler:
    return TorchUpscaler.load("nearest", device="cpu", precision="32-true")


def enlarged(source: Path, name: str, upscaler: TorchUpscaler) -> tuple[Path, Report]:
    target = source.with_name(name)
    return target, enlarge_video(source, target, upscaler, provenance=TOLD)


def look_of(path: Path) -> tuple:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        colours = frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc
        size = stream.width, stream.height, stream.sample_aspect_ratio
        return stream.codec_context.name, stream.pix_fmt.replace("j", ""), size, colours


@pytest.mark.parametrize(
    ("pixels", "matrix", "levels"),
    [("yuv420p", 6, 1), ("yuv444p", 1, 2), ("yuv422p", 1, 1), ("yuv420p10le", 9, 1)],
)
def test_pictures_colours_and_aspect_stay(tmp_path, upscaler, pixels, matrix, levels):
    pictures = moving(3)
    clip = write_clip(
        tmp_path / "a.mp4",
        pictures,
        pixels=pixels,
        matrix=matrix,
        levels=levels,
        aspect=Fraction(4, 3),
    )
    target, report = enlarged(clip, "b.mp4", upscaler)
    assert report == Report(3, ())
    colours = matrix, levels, matrix, matrix
    assert look_of(target) == ("h264", pixels, (64, 48, Fraction(4, 3)), colours)
    blocks = first_picture(target).reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(blocks - pictures[0]).mean() < 2
    assert video_pixels(clip) == 3 * 12 * 16
    assert video_depth(clip) == (16 if "10" in pixels else 8)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".ts"])
def test_irregular_times_stay_to_the_tick(tmp_path, upscaler, suffix):
    times = [0, 90, 1800, 1890, 9000, 9090, 45000]
    clip = write_clip(tmp_path / "a.mp4", moving(COUNT), times=times, time_base=Fraction(1, 90000))
    target = tmp_path / f"b{suffix}"
    if suffix == ".ts":
        with pytest.warns(UserWarning, match="no place for comment"):
            enlarge_video(clip, target, upscaler, provenance=TOLD)
    else:
        enlarge_video(clip, target, upscaler, provenance=TOLD)
    seconds = [Fraction(time, 90000) for time in times]
    shifted = [time - times_of(target)[0] for time in times_of(target)]
    if suffix in (".mkv", ".webm"):  # whose unit is a millisecond
        assert all(abs(a - b) <= Fraction(1, 2000) for a, b in zip(shifted, seconds, strict=True))
    else:
        assert shifted == seconds
    if suffix in (".mp4", ".mov"):
        assert times_of(target)[0] == 0


def test_a_late_start_is_kept_to_the_tick(tmp_path, upscaler):
    times = [1001 * number for number in range(1, 5)]
    clip = write_clip(tmp_path / "a.mov", moving(4), times=times, time_base=Fraction(1, 24000))
    target, _ = enlarged(clip, "b.mp4", upscaler)
    assert times_of(target) == [Fraction(time, 24000) for time in times]


def test_frames_without_times_are_in_order(tmp_path, upscaler):
    """AVI has no times, and of reordered frames FFmpeg guesses wrong ones."""
    clip = write_clip(tmp_path / "a.avi", moving(12, 32, 48))
    target, report = enlarged(clip, "b.mp4", upscaler)
    assert report.frames == 12
    times = times_of(target)
    assert {after - before for before, after in pairwise(times)} == {Fraction(1, 25)}


def test_a_codec_that_counts_frames_says_so(tmp_path, upscaler):
    clip = write_clip(
        tmp_path / "a.mp4", moving(4), times=[0, 10, 25, 31], time_base=Fraction(1, 250)
    )
    with pytest.warns(UserWarning, match="b.avi: .* times are rounded to whole frames"):
        enlarge_video(clip, tmp_path / "b.avi", upscaler, provenance=TOLD)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_titles_and_chapters_are_copied(tmp_path, upscaler, suffix):
    unit = {"time_base": Fraction(1, 1000)}
    chapters = [
        {"id": 1, "start": 0, "end": 120, "metadata": {"title": "A"}} | unit,
        {"id": 2, "start": 120, "end": 280, "metadata": {"title": "B"}} | unit,
    ]
    tags = {"title": "A walk", "comment": "by the sea"}
    clip = write_clip(tmp_path / "a.mp4", moving(COUNT), sound=True, tags=tags, chapters=chapters)
    target, report = enlarged(clip, f"b{suffix}", upscaler)
    assert report == Report(COUNT, ())
    assert packets_of(target, "audio") == packets_of(clip, "audio")
    with av.open(str(target)) as container:
        said = {key.lower(): value for key, value in container.metadata.items()}
        assert said["title"] == "A walk"
        assert said["comment"].splitlines() == [
            "by the sea",
            "Software: srgan-lightning 1; Model: nearest",
        ]
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        assert titles == ["A", "B"]
        assert container.streams.audio[0].metadata["language"] == "fra"


def test_what_a_container_does_not_take_is_said_once(tmp_path, upscaler):
    clip = write_clip(tmp_path / "a.mp4", moving(3), sound=True)
    with pytest.warns(UserWarning, match="written as") as told:
        enlarge_video(clip, tmp_path / "b.webm", upscaler, provenance=TOLD)
    assert [str(line.message) for line in told] == [
        f"{tmp_path}/b.webm: written as libvpx-vp9: no place for 1 audio stream(s)"
    ]
    assert times_of(tmp_path / "b.webm") == [Fraction(n, 25) for n in range(3)]


def test_subtitles_are_copied(tmp_path, upscaler):
    if FFMPEG is None:
        clip = subtitled_by_pyav(tmp_path)
    else:
        lines = tmp_path / "a.srt"
        lines.write_text("1\n00:00:00,040 --> 00:00:00,200\nHello, sea\n")
        film = write_clip(tmp_path / "film.mkv", moving(COUNT))
        clip = tmp_path / "a.mkv"
        ffmpeg("-i", film, "-i", lines, "-c", "copy", clip)
    target, report = enlarged(clip, "b.mkv", upscaler)
    assert report == Report(COUNT, ())
    assert b"Hello, sea" in b"".join(packets_of(target, "subtitle"))
    assert packets_of(target, "subtitle") == packets_of(clip, "subtitle")


def subtitled_by_pyav(folder: Path) -> Path:
    film, clip = write_clip(folder / "film.mkv", moving(COUNT)), folder / "a.mkv"
    with av.open(str(film)) as source, av.open(str(clip), "w") as container:
        copied = container.add_stream_from_template(source.streams.video[0], opaque=True)
        text = container.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = copied
                container.mux(packet)
        line = av.Packet(b"Hello, sea")
        line.stream, line.time_base = text, Fraction(1, 1000)
        line.pts = line.dts = 40
        line.duration = 160
        container.mux(line)
    return clip


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_a_turned_video_is_turned_for_good(tmp_path, upscaler, degrees):
    clip = write_clip(tmp_path / "a.mov", moving(2), degrees=degrees, aspect=Fraction(2))
    target, _ = enlarged(clip, "b.mkv", upscaler)
    upright = np.rot90(first_picture(clip), degrees // 90).astype(int)
    height, width, _ = upright.shape
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        assert (frame.height, frame.width) == (4 * height, 4 * width)
        aspect = container.streams.video[0].sample_aspect_ratio
        assert aspect == (Fraction(2) if degrees == 180 else Fraction(1, 2))
    blocks = first_picture(target).astype(int).reshape(height, 4, width, 4, 3).mean(axis=(1, 3))
    assert np.abs(blocks - upright).mean() < 3


def test_lossless_stays_lossless(tmp_path, upscaler):
    pictures = moving(3)
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("rawvideo", 8, width=16, height=12)
        stream.pix_fmt = "bgr24"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    target, _ = enlarged(tmp_path / "a.avi", "b.mkv", upscaler)
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for picture, frame in zip(pictures, frames, strict=True):
        assert np.array_equal(frame, picture.repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
def test_of_a_truncated_video_the_readable_is_written(tmp_path, upscaler, suffix):
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    whole = write_clip(tmp_path / f"a{suffix}", moving(40, 32, 48), codec=codec)
    clip = tmp_path / f"cut{suffix}"
    data = whole.read_bytes()
    clip.write_bytes(data[: len(data) * 3 // 4])
    if suffix == ".mp4":  # its index lies at the end
        with pytest.raises(UserError, match=r"cut.mp4: cannot be read as video \("):
            enlarge_video(clip, tmp_path / "b.mp4", upscaler, provenance=TOLD)
        assert not (tmp_path / "b.mp4").exists()
        return
    target, report = enlarged(clip, "b.mp4", upscaler)
    assert 0 < report.frames < 40
    assert len(times_of(target)) == report.frames
    assert report.unreadable
    assert "prematurely" in report.unreadable[0] or "of 40 frames" in report.unreadable[0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_rubbish_in_the_middle_is_reported(tmp_path, upscaler, suffix):
    clip = write_clip(tmp_path / f"a{suffix}", moving(60, 32, 48))
    data = bytearray(clip.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 600] = np.random.default_rng(0).bytes(600)
    clip.write_bytes(data)
    target, report = enlarged(clip, "b.mkv", upscaler)
    assert len(times_of(target)) == report.frames > 0
    assert report.unreadable


def test_pictures_that_change_their_size_are_left_out_and_counted(tmp_path, upscaler):
    parts = [write_clip(tmp_path / f"{n}.ts", moving(3, n, 2 * n)) for n in (32, 48)]
    clip = tmp_path / "a.ts"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    target, report = enlarged(clip, "b.mkv", upscaler)
    assert report == Report(3, ("3 frames of another size or format are left out",))
    assert len(times_of(target)) == 3


def test_no_video_is_one_line(tmp_path, upscaler):
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 99)
    sound = write_clip(tmp_path / "film.mp4", moving(2), sound=True)
    with av.open(str(sound)) as source, av.open(str(tmp_path / "a.mka"), "w") as container:
        copied = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = copied
                container.mux(packet)
    for name, line in (
        ("a.mp4", "cannot be read as video"),
        ("a.mka", "holds no video"),
        ("absent.mp4", "no such file"),
    ):
        with pytest.raises(UserError, match=f"{name}: {line}"):
            enlarge_video(tmp_path / name, tmp_path / "b.mp4", upscaler, provenance=TOLD)
    assert not (tmp_path / "b.mp4").exists()


def test_what_an_encoder_refuses_is_said_before_any_work(tmp_path, upscaler):
    clip = write_clip(tmp_path / "a.mkv", moving(2, 2, 4200))
    with pytest.raises(UserError, match=r"b.mp4: libx264 takes no 16800×8 pictures"):
        enlarge_video(clip, tmp_path / "b.mp4", upscaler, provenance=TOLD)
    with pytest.raises(UserError, match=r"b.xyz: FFmpeg writes no such file"):
        enlarge_video(clip, tmp_path / "b.xyz", upscaler, provenance=TOLD)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mkv"]


def test_without_pyav_it_is_one_line(tmp_path, upscaler, monkeypatch):
    clip = write_clip(tmp_path / "a.mp4", moving(2))
    write_document(tmp_path / "frames/1.png", Document(moving(1)[0]), provenance={})
    monkeypatch.setitem(sys.modules, "av", None)
    line = r"video wants PyAV: pip install 'srgan-lightning\[video\]'"
    with pytest.raises(UserError, match=line):
        enlarge_video(clip, tmp_path / "b.mp4", upscaler, provenance=TOLD)
    with pytest.raises(UserError, match=line):
        enlarge_frames(
            tmp_path / "frames", tmp_path / "b.mp4", upscaler, rate=Fraction(8), provenance=TOLD
        )


def test_a_full_disk_is_one_line(tmp_path, upscaler):
    clip = write_clip(tmp_path / "a.mp4", moving(20, 32, 48))
    with pytest.raises(UserError, match=r"b.mkv: cannot be written \(No space left on device\)"):
        copy_to_full_disk(clip, tmp_path / "b.mkv")


def copy_to_full_disk(clip: Path, target: Path) -> None:
    with opened_video(clip) as container:
        reader = VideoReader(container, clip)
        full = Path("/dev/full")
        with VideoWriter(full, target, reader.look, provenance=TOLD, source=reader) as writer:
            for shot in reader:
                writer.write(shot)


def test_broken_off_half_way_nothing_is_left(tmp_path, upscaler):
    clip = write_clip(tmp_path / "a.mp4", moving(5))
    (tmp_path / "b.mp4").write_bytes(b"of before")

    def stop(pixels: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enlarge_video(clip, tmp_path / "b.mp4", upscaler, provenance=TOLD, on_tile=stop)
    assert (tmp_path / "b.mp4").read_bytes() == b"of before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_interlaced_video_is_said(tmp_path, upscaler):
    with av.open(str(tmp_path / "a.mpg"), "w") as container:
        options = {"flags": "+ildct+ilme"}
        stream = container.add_stream("mpeg2video", 25, options, width=32, height=32)
        stream.pix_fmt = "yuv420p"
        for picture in moving(3, 32, 32):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    with pytest.warns(UserWarning, match="is interlaced; both its fields"):
        enlarge_video(tmp_path / "a.mpg", tmp_path / "b.mp4", upscaler, provenance=TOLD)


def test_what_frames_carry_and_encoders_do_not_is_said(tmp_path, upscaler):
    # Matroska: now and then FFmpeg's MP4 muxer says that x265's packets are not yet implemented.
    master = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        sei = f"master-display={master}:max-cll=1000,400"
        options = {"x265-params": f"log-level=none:pools=none:frame-threads=1:{sei}"}
        stream = container.add_stream("libx265", 25, options, width=64, height=64)
        stream.pix_fmt = "yuv420p10le"
        for number, picture in enumerate(moving(2, 64, 64)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.warns(UserWarning, match="a.mkv: without its HDR mastering data from here on"):
        enlarge_video(tmp_path / "a.mkv", tmp_path / "b.mp4", upscaler, provenance=TOLD)


def test_real_clips(shared, tmp_path, upscaler):
    source = shared / "data/burst/moon/short_video.avi"
    assert is_video(source)
    assert video_pixels(source) == 101 * 960 * 1280
    clip = shared / "data/burst/mdsp/Emily_small.avi"
    report = enlarge_video(clip, tmp_path / "emily.mkv", upscaler, provenance=TOLD)
    assert report == Report(53, ())
    assert times_of(tmp_path / "emily.mkv") == [Fraction(n, 8) for n in range(53)]
    old, new = first_picture(clip), first_picture(tmp_path / "emily.mkv")
    assert np.array_equal(new[::4, ::4], old)

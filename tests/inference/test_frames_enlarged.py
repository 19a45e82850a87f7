from fractions import Fraction

import av
import numpy as np
import pytest
from clips import moving, times_of, write_clip
from PIL import Image

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.inference.video import Report, enlarge_frames, enlarge_to_frames

TOLD = {"Software": "srgan-lightning 1", "Model": "nearest"}


@pytest.fixture(scope="module")
def upscaler() -> TorchUpscaler:
    return TorchUpscaler.load("nearest", device="cpu", precision="32-true")


def frames_of(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def larger(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(4, axis=0).repeat(4, axis=1)


def test_pictures_become_a_lossless_video_by_their_numbers(tmp_path, upscaler):
    folder, pictures = tmp_path / "frames", moving(11)
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"f{number}.png")
    rate = Fraction(30000, 1001)
    report = enlarge_frames(folder, tmp_path / "b.mkv", upscaler, rate=rate, provenance=TOLD)
    assert report == Report(11, ())
    for frame, picture in zip(frames_of(tmp_path / "b.mkv"), pictures, strict=True):
        assert np.array_equal(frame, larger(picture))
    with pytest.warns(UserWarning, match="its rgb24 becomes yuv420p"):
        enlarge_frames(folder, tmp_path / "b.mp4", upscaler, rate=rate, provenance=TOLD)
    assert times_of(tmp_path / "b.mp4") == [n / rate for n in range(11)]
    first = frames_of(tmp_path / "b.mp4")[0].astype(int)
    assert np.abs(first - larger(pictures[0])).mean() < 2


def test_sixteen_bits_stay(tmp_path, upscaler):
    deep = (moving(1)[0].astype(np.uint16) << 8) + 77
    write_document(tmp_path / "frames/1.png", Document(deep), provenance={})
    enlarge_frames(
        tmp_path / "frames", tmp_path / "b.mkv", upscaler, rate=Fraction(8), provenance={}
    )
    with av.open(str(tmp_path / "b.mkv")) as container:
        frame = next(container.decode(video=0))
        assert np.array_equal(frame.to_ndarray(format="rgb48le"), larger(deep))


def test_a_video_becomes_pictures_and_a_video_again_with_its_times(tmp_path, upscaler):
    times = [0, 9, 18, 90, 99]
    pictures = moving(5)
    clip = write_clip(
        tmp_path / "a.mp4", pictures, times=times, time_base=Fraction(1, 900), sound=True
    )
    folder = tmp_path / "frames"
    with pytest.warns(UserWarning, match="pictures have no place for its sound"):
        report = enlarge_to_frames(clip, folder, upscaler, provenance=TOLD)
    assert report == Report(5, ())
    names = sorted(file.name for file in folder.iterdir())
    assert names == [f"00000{n}.png" for n in range(1, 6)] + ["frames.json"]
    with Image.open(folder / "000003.png") as image:
        assert image.text["Model"] == "nearest"
        assert np.abs(np.asarray(image).astype(int) - larger(pictures[2])).mean() < 2
    with pytest.warns(UserWarning, match="its rgb24 becomes yuv420p"):
        enlarge_frames(folder, tmp_path / "b.mp4", upscaler, provenance=TOLD)
    assert times_of(tmp_path / "b.mp4") == [Fraction(time, 900) for time in times]


def test_broken_pictures_are_left_out_and_named(tmp_path, upscaler):
    pictures = moving(5)
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    (folder / "0.png").write_bytes(b"no picture")
    Image.fromarray(pictures[3][:-2]).save(folder / "3.png")
    report = enlarge_frames(
        folder, tmp_path / "b.mkv", upscaler, rate=Fraction(10), provenance=TOLD
    )
    assert report.frames == 3
    broken, odd = report.unreadable
    assert "0.png: cannot be read as a picture" in broken
    assert "3.png: is 16×10, not the size of the first picture" in odd
    assert times_of(tmp_path / "b.mkv") == [Fraction(n, 10) for n in (1, 2, 4)]


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, "holds no pictures"),
        ({"1.png": b"no"}, "not one of its pictures can be read"),
        ({"1.png": b"no", "frames.json": b"[]"}, "holds no frame times"),
        ({"1.png": b"no", "frames.json": b"{}"}, "holds no frame times"),
    ],
)
def test_no_video_of_nothing(tmp_path, upscaler, files, line):
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    rate = None if "frames.json" in files else Fraction(8)
    with pytest.raises(UserError, match=line):
        enlarge_frames(folder, tmp_path / "b.mkv", upscaler, rate=rate, provenance=TOLD)
    assert not (tmp_path / "b.mkv").exists()


def test_a_rate_is_asked_for(tmp_path, upscaler):
    Image.fromarray(moving(1)[0]).save(tmp_path / "1.png")
    with pytest.raises(UserError, match="say no frame rate; give one, as in --fps 25"):
        enlarge_frames(tmp_path, tmp_path / "b.mkv", upscaler, provenance=TOLD)


def test_real_frames(shared, tmp_path, upscaler):
    folder = tmp_path / "foliage"
    folder.mkdir()
    for number in (9, 10):
        with Image.open(shared / f"data/video/foliage/{number:02d}.png") as image:
            image.crop((300, 200, 348, 236)).save(folder / f"{number}.png")
    enlarge_frames(folder, tmp_path / "b.mkv", upscaler, rate=Fraction(25), provenance=TOLD)
    for frame, number in zip(frames_of(tmp_path / "b.mkv"), (9, 10), strict=True):
        with Image.open(folder / f"{number}.png") as image:
            assert np.array_equal(frame, larger(np.asarray(image.convert("RGB"))))

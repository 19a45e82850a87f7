import numpy as np
import pytest
from PIL import Image, ImageCms

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.animation import animation_pixels, is_animated
from srgan_lightning.inference.animation import enlarge_animation
from srgan_lightning.inference.torch_upscaler import TorchUpscaler

TOLD = {"Software": "srgan-lightning 1", "Model": "nearest", "Precision": "32-true", "Tile": "9"}
TIMES = [40, 100, 70, 200]


@pytest.fixture(scope="module")
def upscaler() -> TorchUpscaler:
    return TorchUpscaler.load("nearest", device="cpu", precision="32-true")


def drawings(*, opacity: bool) -> list[Image.Image]:
    """A square that wanders over nothing, or over a colour."""
    made = []
    for number in range(len(TIMES)):
        rgba = np.full((10, 14, 4), (30, 60, 90, 0 if opacity else 255), np.uint8)
        rgba[3:7, 2 * number : 2 * number + 5] = 220, 40 * number, 10, 255
        made.append(Image.fromarray(rgba if opacity else rgba[..., :3].copy()))
    return made


def save(path, images, **options) -> None:
    images[0].save(path, save_all=True, append_images=images[1:], duration=TIMES, **options)


def shown(path) -> tuple[list[np.ndarray], list[float], dict]:
    """What a viewer composes."""
    pictures, times = [], []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            pictures.append(np.asarray(image.convert("RGBA")))
            times.append(image.info["duration"])
        image.seek(0)
        return pictures, times, dict(image.info) | {"exif tags": dict(image.getexif())}


def larger(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(4, axis=0).repeat(4, axis=1)


@pytest.mark.parametrize("opacity", [False, True])
@pytest.mark.parametrize("source", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("target", [".webp", ".png", ".apng"])
def test_every_picture_is_enlarged_as_it_is_seen(tmp_path, upscaler, source, target, opacity):
    kind = {".webp": {"lossless": True}, ".gif": {"disposal": 2 if opacity else 1}, ".png": {}}
    save(tmp_path / f"a{source}", drawings(opacity=opacity), loop=2, **kind[source])
    assert is_animated(tmp_path / f"a{source}")
    assert animation_pixels(tmp_path / f"a{source}") == 4 * 10 * 14
    old, times, _ = shown(tmp_path / f"a{source}")
    count = enlarge_animation(
        tmp_path / f"a{source}", tmp_path / f"b{target}", upscaler, provenance=TOLD
    )
    new, new_times, said = shown(tmp_path / f"b{target}")
    assert count == len(new) == len(old) == 4
    assert new_times == times == TIMES
    assert said["loop"] == (3 if source == ".gif" else 2)  # GIF counts repetitions
    for large, small in zip(new, old, strict=True):
        wanted = larger(small)
        inside = (large[..., 3] == 255) & (wanted[..., 3] == 255)
        assert np.array_equal(large[inside], wanted[inside])
        half = (large[..., 3] >= 128) != (wanted[..., 3] >= 128)
        assert half.mean() < 0.02
        if opacity:  # what is half there has the colour of what is there: no dark rim
            rim = (large[..., 3] > 0) & (large[..., 3] < 255)
            assert rim.any()
            assert (large[rim][:, 0] == 220).all()


def test_a_gif_says_what_it_cannot_hold(tmp_path, upscaler):
    save(tmp_path / "a.webp", drawings(opacity=True), loop=0, lossless=True)
    with pytest.warns(UserWarning, match="written as GIF: no place for colours beyond 256") as told:
        enlarge_animation(tmp_path / "a.webp", tmp_path / "b.gif", upscaler, provenance=TOLD)
    assert len(told) == 1
    assert "half opacity" in str(told[0].message)
    pictures, times, said = shown(tmp_path / "b.gif")
    assert times == TIMES
    assert said["loop"] == 0
    for large, small in zip(pictures, shown(tmp_path / "a.webp")[0], strict=True):
        wanted = larger(small)
        assert set(np.unique(large[..., 3])) == {0, 255}
        inside = (large[..., 3] == 255) & (wanted[..., 3] == 255)
        assert np.abs(large[inside].astype(int) - wanted[inside]).max() <= 8
        assert ((large[..., 3] > 0) != (wanted[..., 3] > 0)).mean() < 0.02


def test_a_gif_that_plays_once_plays_once(tmp_path, upscaler):
    save(tmp_path / "a.gif", drawings(opacity=False))
    with pytest.warns(UserWarning, match="no place for colours beyond 256 a picture$"):
        enlarge_animation(tmp_path / "a.gif", tmp_path / "b.gif", upscaler, provenance=TOLD)
    assert "loop" not in shown(tmp_path / "b.gif")[2]
    enlarge_animation(tmp_path / "a.gif", tmp_path / "b.webp", upscaler, provenance=TOLD)
    assert shown(tmp_path / "b.webp")[2]["loop"] == 1


def test_metadata_stay_and_tell_where_it_comes_from(tmp_path, upscaler):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[271] = "A camera"
    options = {"exif": exif, "icc_profile": profile, "lossless": True}
    save(tmp_path / "a.webp", drawings(opacity=False), xmp=b"<x/>", **options)
    for name in ("b.webp", "b.png"):
        enlarge_animation(tmp_path / "a.webp", tmp_path / name, upscaler, provenance=TOLD)
        said = shown(tmp_path / name)[2]
        assert said["icc_profile"] == profile
        assert said["xmp"] == b"<x/>"
        assert said["exif tags"][271] == "A camera"
        if name == "b.png":
            assert {key: said[key] for key in TOLD} == TOLD
        else:
            assert said["exif tags"][305] == TOLD["Software"]
            assert "Model: nearest; Precision: 32-true" in said["exif tags"][270]
    save(tmp_path / "a.gif", drawings(opacity=False), comment=b"by me")
    with pytest.warns(UserWarning, match="256"):
        enlarge_animation(tmp_path / "a.gif", tmp_path / "b.gif", upscaler, provenance=TOLD)
    lines = shown(tmp_path / "b.gif")[2]["comment"].decode().splitlines()
    assert lines[0] == "by me"
    assert lines[1:] == [f"{key}: {value}" for key, value in TOLD.items()]


def test_apng_whose_first_picture_is_for_others(tmp_path, upscaler):
    still = Image.new("RGB", (14, 10), (1, 2, 3))
    still.save(
        tmp_path / "a.png",
        save_all=True,
        default_image=True,
        append_images=drawings(opacity=False),
        duration=TIMES,
    )
    enlarge_animation(tmp_path / "a.png", tmp_path / "b.png", upscaler, provenance=TOLD)
    pictures, times, _ = shown(tmp_path / "b.png")
    assert times == TIMES
    assert tuple(pictures[0][0, 0]) == (30, 60, 90, 255)


def test_a_turned_animation_is_upright(tmp_path, upscaler):
    exif = Image.Exif()
    exif[274] = 6
    save(tmp_path / "a.webp", drawings(opacity=False), exif=exif, lossless=True)
    enlarge_animation(tmp_path / "a.webp", tmp_path / "b.webp", upscaler, provenance=TOLD)
    pictures, _, said = shown(tmp_path / "b.webp")
    assert 274 not in said["exif tags"]
    for large, small in zip(pictures, drawings(opacity=False), strict=True):
        assert np.array_equal(large[..., :3], larger(np.rot90(np.asarray(small), -1)))


def test_stills_and_others_are_not_animated(tmp_path):
    drawings(opacity=False)[0].save(tmp_path / "still.gif")
    drawings(opacity=False)[0].save(tmp_path / "still.png")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    for name in ("still.gif", "still.png", "broken.gif", "absent.webp", "clip.mp4"):
        assert not is_animated(tmp_path / name)


def test_broken_files_and_other_suffixes_are_one_line(tmp_path, upscaler):
    save(tmp_path / "a.webp", drawings(opacity=False))
    with pytest.raises(UserError, match=r"b.jpg: animations are written as .webp .png .gif"):
        enlarge_animation(tmp_path / "a.webp", tmp_path / "b.jpg", upscaler, provenance=TOLD)
    data = (tmp_path / "a.webp").read_bytes()
    (tmp_path / "cut.webp").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"cut.webp: cannot be read as a picture"):
        enlarge_animation(tmp_path / "cut.webp", tmp_path / "b.webp", upscaler, provenance=TOLD)
    assert not (tmp_path / "b.webp").exists()

"""Bursts opened: every kind of file, what is broken, what does not belong together."""

import numpy as np
import pytest
import tifffile
import torch
from astropy.io import fits
from clips import write_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames, open_frames


def pictures(count=3, height=12, width=16, channels=3, seed=0):
    shape = (count, height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def as_frames(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2) / 255


def save(folder, images, *, suffix="png"):
    paths = []
    for number, image in enumerate(images):
        path = folder / f"f{number}.{suffix}"
        Image.fromarray(image.squeeze()).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_in_the_order_of_its_numbers(tmp_path, channels):
    images = pictures(11, channels=channels)
    save(tmp_path, images)  # f10 comes after f9
    frames = open_frames([tmp_path])
    assert (len(frames), frames.channels, frames.size) == (11, channels, (12, 16))
    torch.testing.assert_close(frames.stack(), as_frames(images))
    torch.testing.assert_close(frames.stack(), torch.stack(list(frames)))  # a second pass
    torch.testing.assert_close(frames[-1], as_frames(images)[-1])
    some = frames.only([7, 2])
    torch.testing.assert_close(some.stack(), as_frames(images)[[2, 7]])
    assert some.names == (frames.names[2], frames.names[7])


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_pages_of_a_tiff(tmp_path, kind):
    grey = pictures(channels=1)[..., 0]
    pages = [Image.fromarray(page.astype(kind)) for page in grey]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    frames = open_frames([tmp_path / "a.tif"]).stack()
    whole = {"uint8": 255, "uint16": 65535, "float32": 1}[kind]
    torch.testing.assert_close(frames[:, 0], torch.from_numpy(grey).float() / whole)


@pytest.mark.parametrize("samples", [3, 4])
def test_pages_of_16_bits_in_colour_are_read_in_full(tmp_path, samples):
    pages = np.random.default_rng(0).integers(0, 65536, (3, 12, 16, samples)).astype(np.uint16)
    options = {"photometric": "rgb"} | ({"extrasamples": ["unassalpha"]} if samples == 4 else {})
    tifffile.imwrite(tmp_path / "a.tif", pages, **options)
    frames = open_frames([tmp_path / "a.tif"])
    expected = torch.from_numpy(pages[..., :3].astype(np.float32) / 65535).permute(0, 3, 1, 2)
    torch.testing.assert_close(frames.stack(), expected)
    assert "page 2" in frames.names[1]


def test_a_video_and_an_animation(tmp_path):
    images = pictures(4, 32, 48)
    clip = write_clip(tmp_path / "a.mkv", list(images), codec="ffv1", pixels="bgr0")
    torch.testing.assert_close(open_frames([clip]).stack(), as_frames(images))
    grey = np.repeat(pictures(4, channels=1), 3, axis=3)
    first, *others = (Image.fromarray(image) for image in grey)
    first.save(tmp_path / "a.gif", save_all=True, append_images=others)
    frames = open_frames([tmp_path / "a.gif"])
    assert frames.channels == 1  # palettes know no grey, but these frames are
    torch.testing.assert_close(frames.stack(), as_frames(grey)[:, :1])


def test_a_fits_cube_and_a_list_of_fits_files(tmp_path):
    generator = np.random.default_rng(0)
    cube = generator.integers(100, 60000, (4, 20, 30)).astype(np.uint16)
    fits.writeto(tmp_path / "cube.fits", cube, fits.Header({"OBJECT": "M57"}))
    frames = open_frames([tmp_path / "cube.fits"])
    low, high = frames.scale
    np.testing.assert_allclose(frames.stack()[:, 0] * (high - low) + low, cube, rtol=2e-5)
    assert frames.header["OBJECT"] == "M57"
    paths = [tmp_path / f"light{n}.fits" for n in range(4)]
    for path, plane in zip(paths, cube, strict=True):
        fits.writeto(path, plane)
    torch.testing.assert_close(open_frames(paths).stack(), frames.stack())


def test_blank_pixels_and_transparent_ones_are_nan(tmp_path):
    plane = np.arange(600, dtype=np.int16).reshape(20, 30)
    hdu = fits.PrimaryHDU(np.stack([plane, plane]))
    hdu.header["BLANK"] = 77
    hdu.writeto(tmp_path / "cube.fits")
    missing = open_frames([tmp_path / "cube.fits"])[1].isnan()
    assert missing.nonzero().tolist() == [[0, 2, 17]]
    rgba = np.full((2, 8, 8, 4), 255, np.uint8)
    rgba[1, 3, 4, 3] = 0
    paths = save(tmp_path, rgba)
    frames = open_frames(paths)
    assert frames[1].isnan().nonzero()[:, 1:].unique(dim=0).tolist() == [[3, 4]]


@pytest.mark.filterwarnings("ignore:File may have been truncated")  # astropy's, besides
@pytest.mark.parametrize("kind", ["png", "fits"])
def test_a_broken_frame_is_reported_and_dropped(tmp_path, kind):
    if kind == "png":  # of noise, so that it is longer than what is left
        paths = save(tmp_path, pictures(3, 64, 64))
    else:
        paths = [tmp_path / f"{n}.fits" for n in range(3)]
        for path in paths:
            fits.writeto(path, np.ones((40, 40), np.float32) * np.arange(40))
    paths[1].write_bytes(paths[1].read_bytes()[:5000])
    with pytest.warns(UserWarning, match=rf"left out: .*{paths[1].name}: cannot be read"):
        frames = open_frames(paths)
    assert frames.names[1].startswith(str(paths[2]))
    assert len(frames.skipped) == 1
    assert len(list(frames)) == 2


def test_frames_of_nothing_but_nan_are_dropped(tmp_path):
    rng = np.random.default_rng(0)
    planes = rng.random((4, 16, 20)).astype(np.float32)
    planes[[0, 2]] = np.nan
    for n, plane in enumerate(planes):
        fits.writeto(tmp_path / f"{n}.fits", plane, fits.Header({"FRAME": n}))
    with pytest.warns(UserWarning, match=r"left out: .*fits, PRIMARY: holds no known pixel"):
        frames = open_frames([tmp_path])
    assert len(frames) == 2
    assert frames.header["FRAME"] == 1  # of the first that is left, which is the reference
    low, high = frames.scale
    restored = frames.stack()[:, 0].numpy() * (high - low) + low
    np.testing.assert_allclose(restored, planes[[1, 3]], atol=1e-5)


def one_line(error):
    return "\n" not in str(error.value)


def test_frames_that_do_not_belong_together(tmp_path):
    colour, large = save(tmp_path, pictures(1))[0], tmp_path / "large.png"
    grey, table = tmp_path / "grey.png", tmp_path / "a.fits"
    Image.fromarray(pictures(1, 20, 16)[0]).save(large)
    Image.fromarray(pictures(1, channels=1)[0, ..., 0]).save(grey)
    fits.writeto(table, np.ones((12, 16), np.float32))
    for other, words in [
        (large, "large.png: is 16x20, but .* 16x12; the frames of a burst have one size"),
        (grey, "grey.png: is grey, but .*f0.png colour"),
        (table, "a.fits.*: FITS and pictures are mixed"),
    ]:
        with pytest.raises(UserError, match=words) as error:
            open_frames([colour, other])
        assert one_line(error)


@pytest.mark.parametrize("shape", [(40, 50, 6), (40, 6, 50), (2, 3, 20, 20)])
def test_a_cube_of_the_wrong_order(tmp_path, shape):
    fits.writeto(tmp_path / "cube.fits", np.zeros(shape, np.float32))
    with pytest.raises(UserError, match=r"cube\.fits: .*(NAXIS3|4 axes)") as error:
        open_frames([tmp_path / "cube.fits"])
    assert one_line(error)


def test_too_few(tmp_path):
    (path,) = save(tmp_path, pictures(1))
    for paths, words in [
        ([path], "one frame only can be read"),
        ([], "no frames: name a folder"),
        ([tmp_path / "absent.png"], "no such file or folder"),
    ]:
        with pytest.raises(UserError, match=words) as error:
            open_frames(paths)
        assert one_line(error)
    path.rename(tmp_path / "f0.txt")
    with pytest.raises(UserError, match="holds no pictures and no FITS files"):
        open_frames([tmp_path])
    with pytest.raises(UserError, match="no picture, video or FITS file"):
        open_frames([tmp_path / "f0.txt"])


@given(count=st.integers(2, 6), chosen=st.sets(st.integers(0, 5), min_size=1))
@settings(max_examples=20, deadline=None)
def test_some_of_some_are_some(count, chosen):
    burst = torch.rand(count, 1, 3, 4)
    frames = Frames.of(burst)
    wanted = sorted(n for n in chosen if n < count) or [0]
    assert torch.equal(frames.only(wanted).stack(), burst[wanted])
    assert torch.equal(frames.only(wanted).only([0])[0], burst[wanted[0]])

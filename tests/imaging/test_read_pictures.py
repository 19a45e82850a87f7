import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import check_image, image_size, list_images, read_rgb

HEIGHT, WIDTH = 24, 40


@pytest.fixture(scope="module")
def rgb():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), 128 + 0 * x], axis=-1)
    return picture.astype(np.uint8)


def grey(rgb):
    return rgb[..., 0]


def as_rgb(levels):
    return np.repeat(levels[..., None], 3, axis=-1)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "webp"])
def test_lossless_formats_come_back_as_they_were(tmp_path, rgb, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(rgb).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert np.array_equal(read_rgb(path), rgb)
    assert read_rgb(path).dtype == np.uint8
    assert image_size(path) == (HEIGHT, WIDTH)
    check_image(path)


def test_jpeg_comes_back_nearly(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "a.JPG", "JPEG", quality=95, subsampling=0)
    assert np.abs(read_rgb(tmp_path / "a.JPG").astype(int) - rgb).max() < 12


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_of_8_and_16_bits(tmp_path, rgb, suffix):
    levels = grey(rgb)
    Image.fromarray(levels).save(tmp_path / f"g8.{suffix}")
    Image.fromarray(levels.astype(np.uint16) * 257).save(tmp_path / f"g16.{suffix}")
    for name in ("g8", "g16"):
        assert np.array_equal(read_rgb(tmp_path / f"{name}.{suffix}"), as_rgb(levels))


def test_16_bit_grey_is_rounded_not_clipped(tmp_path):
    levels = np.array([[0, 128, 129, 255, 300, 32767, 32768, 65406, 65407, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "g.png")
    expected = np.floor(levels / 257 + 0.5).astype(np.uint8)
    assert np.array_equal(read_rgb(tmp_path / "g.png"), as_rgb(expected))


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_16_bit_tiff(tmp_path, rgb, byteorder):
    deep = rgb.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "c.tif", deep, photometric="rgb", byteorder=byteorder)
    tifffile.imwrite(tmp_path / "g.tif", grey(deep), byteorder=byteorder)
    assert np.array_equal(read_rgb(tmp_path / "c.tif"), rgb)
    assert np.array_equal(read_rgb(tmp_path / "g.tif"), as_rgb(grey(rgb)))


def test_16_bit_rgb_png(tmp_path, rgb):
    (tmp_path / "c.png").write_bytes(png_of_16_bits(rgb.astype(np.uint16) * 257))
    assert np.array_equal(read_rgb(tmp_path / "c.png"), rgb)


def png_of_16_bits(picture):
    """Pillow writes no 16-bit RGB; the format is simple enough."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in picture)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_palette_and_one_bit(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "p.png")
    assert read_rgb(tmp_path / "p.png").tolist() == [[[10, 20, 30], [200, 100, 50]]]
    palette.save(tmp_path / "t.png", transparency=0)
    assert read_rgb(tmp_path / "t.png").tolist() == [[[255, 255, 255], [200, 100, 50]]]
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    assert read_rgb(tmp_path / "b.png").tolist() == [[[255] * 3, [0] * 3]]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_white(tmp_path, mode):
    colour = (200, 200, 200) if mode == "RGBA" else (200,)
    image = Image.new(mode, (3, 1))
    for place, alpha in enumerate((0, 128, 255)):
        image.putpixel((place, 0), (*colour, alpha))
    image.save(tmp_path / "a.png")
    shown = read_rgb(tmp_path / "a.png")[0, :, 0].astype(int)
    assert shown[0] == 255
    assert shown[2] == 200
    assert abs(shown[1] - (200 * 128 + 255 * 127) / 255) <= 1


def test_colour_key_of_png(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "k.png", transparency=tuple(rgb[0, 0].tolist()))
    shown = read_rgb(tmp_path / "k.png")
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert np.array_equal(shown[1:], rgb[1:])


def test_cmyk(tmp_path):
    flat = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    flat.save(tmp_path / "c.tif")
    assert read_rgb(tmp_path / "c.tif")[0, 0].tolist() == [255, 0, 0]
    flat.save(tmp_path / "c.jpg", quality=100)
    assert np.abs(read_rgb(tmp_path / "c.jpg")[0, 0].astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_exif_orientation_is_applied(tmp_path, rgb, orientation, suffix):
    upright = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb, -1),
        7: rgb.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(rgb, 1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    options = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}}
    Image.fromarray(rgb).save(path, exif=exif, **options.get(suffix, {}))
    shown = read_rgb(path)
    assert image_size(path) == shown.shape[:2] == upright.shape[:2]
    assert np.abs(shown.astype(int) - upright).max() <= (12 if suffix == "jpg" else 0)


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def linear_profile():
    """sRGB's matrix/TRC profile whose three curves are replaced by a linear one."""
    data = bytearray(srgb_profile())
    count = int.from_bytes(data[128:132], "big")
    curve = b"curv" + bytes(4) + (0).to_bytes(4, "big")
    for entry in range(count):
        place = 132 + 12 * entry
        if data[place : place + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(data[place + 4 : place + 8], "big")
            data[offset : offset + 12] = curve
            data[place + 8 : place + 12] = (12).to_bytes(4, "big")
    return bytes(data)


def test_icc_profile_is_converted(tmp_path, rgb):
    path = tmp_path / "linear.png"
    Image.fromarray(rgb).save(path, icc_profile=linear_profile())
    linear = rgb / 255
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(read_rgb(path) - 255 * srgb).max() <= 1.5


def test_icc_profile_of_srgb_changes_nothing(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert np.array_equal(read_rgb(tmp_path / "a.png"), rgb)


def test_grey_with_a_colour_profile(tmp_path, rgb):
    Image.fromarray(grey(rgb)).save(tmp_path / "a.png", icc_profile=linear_profile())
    Image.fromarray(as_rgb(grey(rgb))).save(tmp_path / "b.png", icc_profile=linear_profile())
    assert np.array_equal(read_rgb(tmp_path / "a.png"), read_rgb(tmp_path / "b.png"))


@pytest.mark.parametrize("profile", [b"nonsense", linear_profile()])
def test_unusable_profile_is_said(tmp_path, profile):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.tif", icc_profile=profile)
    with pytest.warns(UserWarning, match=r"a\.tif: its colour profile is ignored"):
        shown = read_rgb(tmp_path / "a.tif")
    assert shown[0, 0].tolist() == [255, 0, 0]


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert read_rgb(tmp_path / "a.webp")[0, 0].tolist() == [255, 0, 0]


def test_32_bits_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(UserError, match=r"f\.tif.*32 bits; save it with 8 or 16"):
        read_rgb(tmp_path / "f.tif")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
def test_truncated_files_are_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    Image.fromarray(noise).save(whole)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    for function in (read_rgb, check_image):
        with pytest.raises(UserError, match=rf"cut\.{suffix}: cannot be read as a picture"):
            function(cut)


def test_missing_empty_and_foreign_files(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    for name in ("empty", "text"):
        for function in (read_rgb, image_size, check_image):
            with pytest.raises(UserError, match=rf"{name}\.png: cannot be read"):
                function(tmp_path / f"{name}.png")
    with pytest.raises(UserError, match=r"none\.png: no such file"):
        read_rgb(tmp_path / "none.png")


def valid_files():
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, kind)
        yield kind, buffer.getvalue()


FILES = dict(valid_files())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_broken_bytes_never_raise_anything_else(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(sorted(FILES)))
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, min(len(content), 400) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("broken") / "a.bin"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in (read_rgb, image_size, check_image):
            with contextlib.suppress(UserError):
                function(path)


def test_list_is_recursive_sorted_and_leaves_hidden_files_out(tmp_path):
    for name in ("b.png", "a/z.JPG", "a/y.tiff", ".hidden.png", ".git/x.png", "notes.txt", "c.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)]
    assert names == ["a/y.tiff", "a/z.JPG", "b.png"]
    with pytest.raises(UserError, match="no such folder"):
        list_images(tmp_path / "none")


def test_uncompressed_grey_is_turned_too(tmp_path):
    levels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(levels).save(tmp_path / "a.tif", exif=exif)
    assert read_rgb(tmp_path / "a.tif")[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]

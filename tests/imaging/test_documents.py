"""Round trips: what a file says is what the file written from it says."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.document import Document, Metadata
from srgan_lightning.imaging.encode import write_document, write_strips
from srgan_lightning.imaging.read import read_rgb

SIGNED = {"Software": "srgan-lightning 1", "Model": "bicubic"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TIME = 36867  # DateTimeOriginal, in the EXIF table


def samples(channels: int, dtype: type, height: int = 70, width: int = 9) -> np.ndarray:
    draws = np.random.default_rng(channels)
    if dtype is np.float32:
        return draws.normal(0, 1e4, (height, width, channels)).astype(dtype)
    return draws.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def document(channels: int, dtype: type, **metadata) -> Document:
    pixels = samples(channels, dtype)
    alpha = pixels[..., -1] if channels in (2, 4) else None
    colour = pixels[..., : channels - (alpha is not None)]
    return Document(np.ascontiguousarray(colour), alpha, Metadata(**metadata))


def equal(one: Document, other: Document) -> bool:
    assert one.samples.dtype == other.samples.dtype
    return np.array_equal(one.samples, other.samples)


EXACT = [
    *(("png", channels, dtype) for channels in (1, 2, 3, 4) for dtype in (np.uint8, np.uint16)),
    *(("tif", channels, np.uint8) for channels in (1, 2, 3, 4)),
    *(("tif", channels, np.uint16) for channels in (1, 3, 4)),
    ("tif", 1, np.float32),
    *(("webp", channels, np.uint8) for channels in (3, 4)),
]


@pytest.mark.parametrize(("suffix", "channels", "dtype"), EXACT)
def test_pixels_and_metadata_survive(tmp_path, suffix, channels, dtype):
    given = document(
        channels,
        dtype,
        profile=SRGB if channels > 2 else None,
        exif={
            Base.Artist: "Ada",
            Base.Copyright: "© Ada",
            IFD.Exif: {TIME: "2024:01:02 03:04:05", Base.ExifImageWidth: 5},
            IFD.GPSInfo: {1: "N", 2: (1.0, 2.0, 3.5)},
        },
        xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\xc3\xbc</x:xmpmeta>",
        dpi=(300.0, 150.0),
    )
    path = tmp_path / f"a.{suffix}"
    write_document(path, given, provenance=SIGNED)
    back = read_document(path)
    assert equal(back, given)
    assert back.metadata.profile == given.metadata.profile
    assert back.metadata.xmp == given.metadata.xmp
    assert back.metadata.dpi == pytest.approx((300, 150), abs=0.02)
    exif = back.metadata.exif
    assert exif[Base.Artist] == "Ada"
    assert exif[Base.Copyright] == "© Ada"
    assert exif[IFD.Exif] == {TIME: "2024:01:02 03:04:05", Base.ExifImageWidth: 9}
    assert exif[IFD.GPSInfo] == {1: "N", 2: (1.0, 2.0, 3.5)}
    with Image.open(path) as image:
        told = image.text if suffix == "png" else {"Software": exif[Base.Software]}
    assert told["Software"] == "srgan-lightning 1"
    if suffix != "png":
        assert exif[Base.ImageDescription] == "Model: bicubic"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_is_what_another_reader_reads(tmp_path, channels):
    for dtype in (np.uint8, np.uint16, np.float32):
        given = document(channels, dtype)
        write_document(tmp_path / "a.tif", given, provenance=SIGNED)
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            page = file.pages[0]
            assert np.array_equal(page.asarray().reshape(given.samples.shape), given.samples)
            assert page.tags["Software"].value == "srgan-lightning 1"
            assert page.photometric.name == ("RGB" if channels > 2 else "MINISBLACK")
            assert [int(extra) for extra in page.extrasamples] == [2] * (channels in (2, 4))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_beyond_4_gb_a_tiff_is_a_bigtiff(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr("srgan_lightning.imaging.tiff._LIMIT", 1000)
    channels = 1 if dtype is np.float32 else 4
    given = document(
        channels, dtype, exif={Base.Artist: "Ada", IFD.Exif: {TIME: "2024:01:02 03:04:05"}}
    )
    write_document(tmp_path / "a.tif", given, provenance=SIGNED)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff
        assert np.array_equal(file.asarray().reshape(given.samples.shape), given.samples)
    back = read_document(tmp_path / "a.tif").metadata
    assert back.exif[IFD.Exif] == {TIME: "2024:01:02 03:04:05"}


@settings(max_examples=20, deadline=None)
@given(heights=st.lists(st.integers(1, 200), min_size=1, max_size=5))
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_strips_make_the_file_that_the_whole_picture_makes(tmp_path_factory, suffix, heights):
    folder = tmp_path_factory.mktemp("strips")
    pixels = samples(3, np.uint8, sum(heights), 5)
    write_document(folder / f"a.{suffix}", Document(pixels), provenance=SIGNED)
    strips = np.split(pixels, np.cumsum(heights)[:-1])
    layout = Document(pixels).layout
    write_strips(folder / f"b.{suffix}", layout, strips, provenance=SIGNED)
    assert (folder / f"a.{suffix}").read_bytes() == (folder / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_keeps_all_but_the_last_bits(tmp_path, channels):
    pixels = np.full((16, 24, channels), 77, np.uint8)
    given = Document(
        pixels,
        metadata=Metadata(
            profile=SRGB if channels == 3 else None,
            exif={Base.ImageDescription: "a moon", Base.Make: "Leica"},
            text={"Comment": "größer"},
            dpi=(72.0, 72.0),
        ),
    )
    write_document(tmp_path / "a.jpg", given, provenance=SIGNED)
    back = read_document(tmp_path / "a.jpg")
    assert back.colour.shape == pixels.shape
    assert abs(back.colour.astype(int) - 77).max() <= 1
    assert back.metadata.profile == given.metadata.profile
    assert back.metadata.text == {"Comment": "größer"}
    assert back.metadata.dpi == (72, 72)
    assert back.metadata.exif[Base.Make] == "Leica"
    assert back.metadata.exif[Base.ImageDescription] == "a moon\nModel: bicubic"


def test_png_text_in_any_language(tmp_path):
    given = document(3, np.uint8, text={"Title": "Mond", "Author": "安藤", "Software": "older"})
    write_document(tmp_path / "a.png", given, provenance=SIGNED)
    assert read_document(tmp_path / "a.png").metadata.text == {
        "Title": "Mond",
        "Author": "安藤",
        "Software": "srgan-lightning 1",
        "Model": "bicubic",
    }


TURNED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_orientation_is_applied_once_and_for_all(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    path = tmp_path / f"a.{suffix}"
    pixels = samples(3, np.uint8, 8, 16)
    Image.fromarray(pixels).save(path, exif=exif, lossless=True)
    turned = read_document(path)
    assert np.array_equal(turned.colour, read_rgb(path))
    if suffix != "jpg":
        assert np.array_equal(turned.colour, TURNED[orientation](pixels))
    assert Base.Orientation not in turned.metadata.exif
    write_document(tmp_path / "b.png", turned, provenance=SIGNED)
    assert np.array_equal(read_rgb(tmp_path / "b.png"), turned.colour)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_of_others_are_read(tmp_path, channels, order, compression):
    pixels = samples(channels, np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels.squeeze(),
        byteorder=order,
        compression=compression,
        photometric="rgb" if channels > 2 else "minisblack",
        extrasamples=["unassalpha"] if channels == 4 else None,
        metadata=None,
    )
    assert np.array_equal(read_document(tmp_path / "a.tif").samples, pixels)


def test_opacity_multiplied_into_the_colour_is_taken_out(tmp_path):
    straight = np.array([[[60000, 20, 3, 65535], [40000, 20000, 10000, 32768]]], np.uint16)
    product = straight[..., :3].astype(np.uint64) * straight[..., 3:] // 65535
    pixels = np.concatenate([product.astype(np.uint16), straight[..., 3:]], axis=2)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["assocalpha"], metadata=None
    )
    assert abs(read_document(tmp_path / "a.tif").samples.astype(int) - straight).max() <= 2


def test_palettes_and_transparent_colours_become_colour_and_opacity(tmp_path):
    palette = Image.new("P", (3, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1, 0])
    palette.save(tmp_path / "p.png")
    assert read_document(tmp_path / "p.png").samples[0].tolist() == [
        [10, 20, 30],
        [200, 100, 50],
        [10, 20, 30],
    ]
    palette.save(tmp_path / "t.png", transparency=1)
    assert read_document(tmp_path / "t.png").alpha.tolist() == [[255, 0, 255]]
    Image.fromarray(np.array([[7, 8]], np.uint8)).save(tmp_path / "l.png", transparency=8)
    keyed = read_document(tmp_path / "l.png")
    assert keyed.colour.tolist() == [[[7], [8]]]
    assert keyed.alpha.tolist() == [[255, 0]]
    Image.fromarray(np.array([[700, 800]], np.uint16)).save(tmp_path / "i.png", transparency=800)
    assert read_document(tmp_path / "i.png").samples.tolist() == [[[700, 65535], [800, 0]]]
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    assert read_document(tmp_path / "b.png").samples.tolist() == [[[255], [0]]]


def test_cmyk_becomes_srgb_and_says_so(tmp_path):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "c.tif")
    with pytest.warns(UserWarning, match=r"c\.tif: CMYK is enlarged as sRGB$"):
        shown = read_document(tmp_path / "c.tif")
    assert shown.colour[0, 0].tolist() == [255, 0, 0]


def test_a_profile_of_other_pixels_is_left_out_and_said(tmp_path):
    grey = Image.fromarray(samples(1, np.uint8)[..., 0])
    grey.save(tmp_path / "g.jpg", icc_profile=SRGB)
    with pytest.warns(UserWarning, match="its colour profile is left out"):
        assert read_document(tmp_path / "g.jpg").metadata.profile is None


LOSSES = [
    ("jpg", document(3, np.uint16), "its 16 bits become 8"),
    ("jpg", document(4, np.uint8), "its opacity is laid over white"),
    ("webp", document(3, np.uint8, text={"Title": "x"}), "no place for its text"),
    ("tif", document(3, np.uint8, text={"Title": "x"}), "no place for its text"),
    ("bmp", document(3, np.uint8, xmp=b"x"), "its XMP, no place for its provenance"),
]


@pytest.mark.parametrize(("suffix", "given", "said"), LOSSES)
def test_what_a_format_cannot_hold_is_said_in_one_line(tmp_path, suffix, given, said):
    with pytest.warns(UserWarning, match=said) as caught:
        write_document(tmp_path / f"a.{suffix}", given, provenance=SIGNED)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)


def test_rounding_and_laying_over_white(tmp_path):
    colour = np.array([[[0], [65535], [257 * 9 + 128], [257 * 9 + 129]]], np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_document(tmp_path / "a.bmp", Document(colour), provenance=SIGNED)
        clear = Document(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
        write_document(tmp_path / "a.jpg", clear, provenance=SIGNED)
    assert read_document(tmp_path / "a.bmp").colour.ravel().tolist() == [0, 255, 9, 10]
    assert (read_document(tmp_path / "a.jpg").colour == 255).all()


def test_only_the_first_of_many_pictures_and_said(tmp_path):
    one = Image.fromarray(samples(3, np.uint8))
    one.save(tmp_path / "a.tif", save_all=True, append_images=[one])
    with pytest.warns(UserWarning, match="only the first of its pictures"):
        assert equal(read_document(tmp_path / "a.tif"), Document(samples(3, np.uint8)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("keep", [0, 20, 300])
def test_broken_files_end_in_one_line(tmp_path, keep):
    for dtype in (np.uint8, np.uint16):
        for suffix in ("png", "tif"):
            path = tmp_path / f"{dtype.__name__}{keep}.{suffix}"
            write_document(path, document(3, dtype), provenance=SIGNED)
            path.write_bytes(path.read_bytes()[:keep])
            with pytest.raises(UserError, match=path.name) as caught:
                read_document(path)
            assert "\n" not in str(caught.value)


def test_impossible_outputs_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"written as \.png \.jpg"):
        write_document(tmp_path / "a.gif", document(3, np.uint8), provenance=SIGNED)
    with pytest.raises(UserError, match=r"PNG holds no floating-point pixels; name a \.tif"):
        write_document(tmp_path / "a.png", document(1, np.float32), provenance=SIGNED)
    with pytest.raises(ValueError, match="no picture"):
        Document(np.zeros((2, 2, 3)))
    assert not list(tmp_path.iterdir())


def test_integers_of_32_bits_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 3), np.int32))
    with pytest.raises(UserError, match="pixels of 32 bits"):
        read_document(tmp_path / "a.tif")


def test_pillow_s_own_png_is_read_alike(tmp_path):
    info = PngInfo()
    info.add_text("Title", "x")
    buffer = io.BytesIO()
    Image.fromarray(samples(4, np.uint8)).save(buffer, "PNG", pnginfo=info, dpi=(96, 96))
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    back = read_document(tmp_path / "a.png")
    assert np.array_equal(back.samples, samples(4, np.uint8))
    assert back.metadata.text == {"Title": "x"}
    assert back.metadata.dpi == pytest.approx((96, 96), abs=0.02)


@pytest.mark.parametrize(("gamma", "said"), [(100_000, True), (45_455, False)])
def test_a_png_of_another_gamma_is_told(tmp_path, recwarn, gamma: int, said: bool):
    chunks = PngInfo()
    chunks.add(b"gAMA", gamma.to_bytes(4, "big"))
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=chunks)
    read_document(tmp_path / "a.png")
    assert [("gAMA" in str(w.message)) for w in recwarn] == [True] * said

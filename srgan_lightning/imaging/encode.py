"""A picture to a file of the format that its name asks for."""

import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.document import Document, Layout, Strips
from srgan_lightning.imaging.exif import resized, signed
from srgan_lightning.imaging.png import encode_png
from srgan_lightning.imaging.tiff import encode_tiff
from srgan_lightning.imaging.write import whole_file

Texts = Mapping[str, str]
_INCH = 0.0254


@dataclass(frozen=True)
class Format:
    """A file format that pictures are written in.

    Attributes:
        name: what users call it.
        depths: bits of a sample that it holds.
        alpha: whether it holds opacity.
        grey: whether it holds pictures of one channel.
        keeps: which of the metadata it holds.
        encode: writes a picture that fits, and its provenance.
    """

    name: str
    depths: tuple[int, ...]
    alpha: bool
    grey: bool
    keeps: frozenset[str]
    encode: Callable[[Path, Layout, Strips, Texts], None]


def write_document(path: str | Path, document: Document, *, provenance: Texts) -> None:
    """Write a document; see `write_strips`."""
    write_strips(path, document.layout, [document.samples], provenance=provenance)


def write_strips(path: str | Path, layout: Layout, strips: Strips, *, provenance: Texts) -> None:
    """Write a picture in the format of the file's suffix: PNG, JPEG, WebP, TIFF or BMP.

    PNG and TIFF are written strip by strip as they come; of the others the whole picture is
    gathered first. What the format cannot hold is said in one warning.

    Args:
        path: the file; its folder is made where it is missing.
        layout: what the picture is.
        strips: its samples, colour and opacity, from top to bottom.
        provenance: where it comes from: `Software`, and more by keyword. PNG gets it as text, the
            others as EXIF (TIFF: as tags): Software and, behind the old one, ImageDescription.

    Raises:
        UserError: for another suffix, or floating-point pixels in a format without them.
    """
    path = Path(path)
    chosen = format_of(path)
    layout, fit = _fitting(path, layout, chosen)
    with whole_file(path) as part:
        chosen.encode(part, layout, map(fit, strips), provenance)


def format_of(path: Path) -> Format:
    """Return the format of a name.

    Raises:
        UserError: for a suffix that is not written.

    >>> format_of(Path("a.JPG")).name
    'JPEG'
    """
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        known = " ".join(_FORMATS)
        raise UserError(f"{path}: pictures are written as {known}; name one of them") from None


def _fitting(
    path: Path, layout: Layout, chosen: Format
) -> tuple[Layout, Callable[[NDArray[Any]], NDArray[Any]]]:
    """Reduce a picture to what a format holds, and say what is lost."""
    losses = []
    steps: list[Callable[[NDArray[Any]], NDArray[Any]]] = []
    if layout.depth == 32 and 32 not in chosen.depths:
        raise UserError(f"{path}: {chosen.name} holds no floating-point pixels; name a .tif file")
    if layout.depth not in chosen.depths:
        losses.append("its 16 bits become 8")
        layout = replace(layout, dtype=np.dtype(np.uint8))
        steps.append(_halved)
    if layout.alpha and not chosen.alpha:
        losses.append("its opacity is laid over white")
        layout = replace(layout, alpha=False)
        steps.append(_over_white)
    if layout.channels == 1 and not chosen.grey and layout.metadata.profile:
        losses.append("no place for a colour profile of grey")
        layout = replace(layout, metadata=replace(layout.metadata, profile=None))
    held = vars(layout.metadata)
    lost = [key for key, value in held.items() if value and not _kept(key, value, chosen)]
    losses += [f"no place for {_WORDS[key]}" for key in lost]
    if "exif" not in chosen.keeps:
        losses.append("no place for its provenance")
    if losses:
        warnings.warn(f"{path}: written as {chosen.name}: {', '.join(losses)}", stacklevel=4)

    def fit(strip: NDArray[Any]) -> NDArray[Any]:
        for step in steps:
            strip = step(strip)
        return strip

    return layout, fit


def _kept(key: str, value: Any, chosen: Format) -> bool:
    return key in chosen.keeps or (key == "text" and set(value) <= chosen.keeps)


def _halved(samples: NDArray[Any]) -> NDArray[Any]:
    """Round 16 bits to 8: 65535 / 255 = 257."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _over_white(samples: NDArray[Any]) -> NDArray[Any]:
    weight = samples[..., -1:] / 255
    return np.rint(samples[..., :-1] * weight + 255 * (1 - weight)).astype(np.uint8)


def _tags(layout: Layout, provenance: Texts) -> dict[int, Any]:
    tags = signed(layout.metadata.exif, provenance)
    if layout.metadata.dpi is not None:
        x, y = layout.metadata.dpi
        tags |= {Base.XResolution: x, Base.YResolution: y, Base.ResolutionUnit: 2}
    return resized(tags, size=(layout.width, layout.height))


def _exif(tags: Mapping[int, Any]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    return exif


def _png(path: Path, layout: Layout, strips: Strips, provenance: Texts) -> None:
    metadata = layout.metadata
    info = PngInfo()
    if metadata.profile:
        info.add(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.profile))
    if metadata.dpi is not None:
        x, y = (round(dots / _INCH).to_bytes(4, "big") for dots in metadata.dpi)
        info.add(b"pHYs", x + y + b"\1")
    if metadata.exif:
        exif = _exif(resized(metadata.exif, size=(layout.width, layout.height)))
        info.add(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    for keyword, text in {**metadata.text, **provenance}.items():
        info.add_text(keyword, text)
    if metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    encode_png(path, layout, strips, ((chunk[0], chunk[1]) for chunk in info.chunks))


def _tiff(path: Path, layout: Layout, strips: Strips, provenance: Texts) -> None:
    tags = _tags(layout, provenance)
    if layout.metadata.profile:
        tags[34675] = layout.metadata.profile
    if layout.metadata.xmp:
        tags[700] = layout.metadata.xmp
    encode_tiff(path, layout, strips, tags)


def _jpeg(path: Path, layout: Layout, strips: Strips, provenance: Texts) -> None:
    metadata = layout.metadata
    options: dict[str, Any] = {"quality": 95, "subsampling": 0, "optimize": True}
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if "Comment" in metadata.text:
        options["comment"] = metadata.text["Comment"].encode()
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    exif = _exif(_tags(layout, provenance))
    _save(path, strips, "JPEG", exif=exif, icc_profile=metadata.profile, **options)


def _webp(path: Path, layout: Layout, strips: Strips, provenance: Texts) -> None:
    metadata = layout.metadata
    exif = _exif(_tags(layout, provenance))
    options = {"icc_profile": metadata.profile or b"", "xmp": metadata.xmp or b""}
    _save(path, strips, "WEBP", exif=exif, lossless=True, exact=True, **options)


def _bmp(path: Path, layout: Layout, strips: Strips, provenance: Texts) -> None:
    dpi = layout.metadata.dpi
    _save(path, strips, "BMP", **({} if dpi is None else {"dpi": dpi}))


def _save(path: Path, strips: Strips, kind: str, **options: Any) -> None:
    samples = np.concatenate(list(strips))
    image = Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples)
    image.save(path, format=kind, **options)


_WORDS = {
    "profile": "its colour profile",
    "exif": "its EXIF",
    "text": "its text",
    "xmp": "its XMP",
    "dpi": "its dots per inch",
}
_ALL = frozenset({"profile", "exif", "xmp", "dpi"})
_PNG = Format("PNG", (8, 16), True, True, _ALL | {"text"}, _png)
_JPEG = Format("JPEG", (8,), False, True, _ALL | {"Comment"}, _jpeg)
_TIFF = Format("TIFF", (8, 16, 32), True, True, _ALL, _tiff)
_FORMATS = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Format("WebP", (8,), True, False, _ALL, _webp),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": Format("BMP", (8,), False, True, frozenset({"dpi"}), _bmp),
}

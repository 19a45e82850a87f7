"""A document to a file of the format that its name asks for."""

import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.document import Document
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
        encode: writes a document that fits, and its provenance.
    """

    name: str
    depths: tuple[int, ...]
    alpha: bool
    grey: bool
    keeps: frozenset[str]
    encode: Callable[[Path, Document, Texts], None]


def write_document(path: str | Path, document: Document, *, provenance: Texts) -> None:
    """Write a document in the format of the file's suffix: PNG, JPEG, WebP, TIFF or BMP.

    What the format cannot hold is said in one warning.

    Args:
        path: the file; its folder is made where it is missing.
        document: the picture.
        provenance: where it comes from: `Software`, and more by keyword. PNG gets it as text, the
            others as EXIF (TIFF: as tags): Software and, behind the old one, ImageDescription.

    Raises:
        UserError: for another suffix, or floating-point pixels in a format without them.
    """
    path = Path(path)
    chosen = format_of(path)
    document = _fitting(path, document, chosen)
    with whole_file(path) as part:
        chosen.encode(part, document, provenance)


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


def _fitting(path: Path, document: Document, chosen: Format) -> Document:
    """Reduce a document to what a format holds, and say what is lost."""
    losses = []
    if document.depth == 32 and 32 not in chosen.depths:
        raise UserError(f"{path}: {chosen.name} holds no floating-point pixels; name a .tif file")
    if document.depth not in chosen.depths:
        losses.append("its 16 bits become 8")
        document = replace(document, colour=_halved(document.colour), alpha=_halved(document.alpha))
    if document.alpha is not None and not chosen.alpha:
        losses.append("its opacity is laid over white")
        weight = document.alpha[..., None] / 255
        over = document.colour * weight + 255 * (1 - weight)
        document = replace(document, colour=np.rint(over).astype(np.uint8), alpha=None)
    if document.colour.shape[2] == 1 and not chosen.grey and document.metadata.profile:
        losses.append("no place for a colour profile of grey")
        document = replace(document, metadata=replace(document.metadata, profile=None))
    held = vars(document.metadata)
    lost = [key for key, value in held.items() if value and not _kept(key, value, chosen)]
    losses += [f"no place for {_WORDS[key]}" for key in lost]
    if "exif" not in chosen.keeps:
        losses.append("no place for its provenance")
    if losses:
        warnings.warn(f"{path}: written as {chosen.name}: {', '.join(losses)}", stacklevel=3)
    return document


def _kept(key: str, value: Any, chosen: Format) -> bool:
    return key in chosen.keeps or (key == "text" and set(value) <= chosen.keeps)


def _halved(samples: Any) -> Any:
    """Round 16 bits to 8: 65535 / 255 = 257."""
    return None if samples is None else ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _tags(document: Document, provenance: Texts) -> dict[int, Any]:
    height, width = document.colour.shape[:2]
    tags = signed(document.metadata.exif, provenance)
    if document.metadata.dpi is not None:
        x, y = document.metadata.dpi
        tags |= {Base.XResolution: x, Base.YResolution: y, Base.ResolutionUnit: 2}
    return resized(tags, size=(width, height))


def _exif(tags: Mapping[int, Any]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    return exif


def _png(path: Path, document: Document, provenance: Texts) -> None:
    metadata = document.metadata
    info = PngInfo()
    if metadata.profile:
        info.add(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.profile))
    if metadata.dpi is not None:
        x, y = (round(dots / _INCH).to_bytes(4, "big") for dots in metadata.dpi)
        info.add(b"pHYs", x + y + b"\1")
    if metadata.exif:
        height, width = document.colour.shape[:2]
        exif = _exif(resized(metadata.exif, size=(width, height)))
        info.add(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    for keyword, text in {**metadata.text, **provenance}.items():
        info.add_text(keyword, text)
    if metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    encode_png(path, document.samples, ((chunk[0], chunk[1]) for chunk in info.chunks))


def _tiff(path: Path, document: Document, provenance: Texts) -> None:
    tags = _tags(document, provenance)
    if document.metadata.profile:
        tags[34675] = document.metadata.profile
    if document.metadata.xmp:
        tags[700] = document.metadata.xmp
    encode_tiff(path, document.samples, tags)


def _jpeg(path: Path, document: Document, provenance: Texts) -> None:
    metadata = document.metadata
    options: dict[str, Any] = {"quality": 95, "subsampling": 0, "optimize": True}
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if "Comment" in metadata.text:
        options["comment"] = metadata.text["Comment"].encode()
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    exif = _exif(_tags(document, provenance))
    _save(path, document, "JPEG", exif=exif, icc_profile=metadata.profile, **options)


def _webp(path: Path, document: Document, provenance: Texts) -> None:
    metadata = document.metadata
    exif = _exif(_tags(document, provenance))
    options = {"icc_profile": metadata.profile or b"", "xmp": metadata.xmp or b""}
    _save(path, document, "WEBP", exif=exif, lossless=True, exact=True, **options)


def _bmp(path: Path, document: Document, provenance: Texts) -> None:
    dpi = document.metadata.dpi
    _save(path, document, "BMP", **({} if dpi is None else {"dpi": dpi}))


def _save(path: Path, document: Document, kind: str, **options: Any) -> None:
    samples = document.samples
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

"""A picture file to a document: everything in it that an enlarged picture must keep."""

import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from PIL.ExifTags import Base

from srgan_lightning.imaging.colour import to_srgb
from srgan_lightning.imaging.document import Document, Metadata
from srgan_lightning.imaging.exif import Tags, read_exif
from srgan_lightning.imaging.read import opened
from srgan_lightning.imaging.sixteen import raw_mode, read_16_bits

_GREY = ("1", "L", "LA", "La")
_COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX")
SRGB_GAMMA = 1 / 2.2
SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # white, red, green, blue
_SPACES = {"L": "GRAY", "RGB": "RGB"}


def read_document(path: str | Path) -> Document:
    """Read a picture with all that is to survive its enlargement.

    PNG, JPEG, WebP, TIFF and BMP. 8 and 16 bits and floating point stay what they are, grey stays
    grey, opacity comes apart, palettes are looked up. The EXIF orientation is applied. The ICC
    profile of grey or RGB pixels is kept; CMYK, YCbCr and Lab become sRGB, which is said.

    Raises:
        UserError: the file is missing, truncated, or no picture.
    """
    with opened(path) as image:
        raw = raw_mode(image)
        if getattr(image, "n_frames", 1) > 1:
            warnings.warn(f"{path}: only the first of its pictures is enlarged", stacklevel=2)
        upright = ImageOps.exif_transpose(image)
        pixels, mode = _pixels(path, upright, raw)
        profile = upright.info.get("icc_profile")
        if not profile and _is_not_srgb(image.info):
            warnings.warn(
                f"{path}: its gamma and primaries (gAMA, cHRM) are left out; the enlarged picture "
                "will be shown as sRGB",
                stacklevel=2,
            )
        if image.mode not in (*_GREY, *_COLOUR, "F") and not image.mode.startswith("I;16"):
            warnings.warn(f"{path}: {image.mode} is enlarged as sRGB", stacklevel=2)
            profile = None
        opacity = pixels[..., -1] if mode.endswith("A") else None
        mode = mode.removesuffix("A")
        return Document(
            np.ascontiguousarray(pixels[..., : len(mode)]),
            opacity,
            read_metadata(image, profile=_fitting(path, profile, mode) if profile else None),
        )


def read_pages(path: str | Path) -> Iterator[Document]:
    """Read the pictures of a file one after the other, as `read_document` reads the first of them.

    Yields:
        Their pixels and opacity, without metadata.

    Raises:
        UserError: the file is missing, truncated, or no picture.
    """
    with opened(path) as image:
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            raw = raw_mode(image)
            pixels, mode = _pixels(path, ImageOps.exif_transpose(image), raw, page=page)
            colour = np.ascontiguousarray(pixels[..., : len(mode.removesuffix("A"))])
            yield Document(colour, pixels[..., -1] if mode.endswith("A") else None)


def read_metadata(image: Image.Image, *, profile: bytes | None) -> Metadata:
    """Take what an open picture says besides its pixels, and the profile that fits them."""
    tags = read_exif(image.getexif())
    return Metadata(
        profile=profile,
        exif=tags,
        text=_text(image),
        xmp=_bytes(image.info.get("xmp")),
        dpi=_dpi(image.info.get("dpi"), tags),
    )


def _is_not_srgb(info: Mapping[str | tuple[int, int], Any]) -> bool:
    """Tell whether a PNG's own colour chunks say anything else than sRGB."""
    if "srgb" in info:
        return False
    found = (info.get("gamma", SRGB_GAMMA), *info.get("chromaticity", SRGB_PRIMARIES))
    return not np.allclose(found, (SRGB_GAMMA, *SRGB_PRIMARIES), atol=2e-3)


def _pixels(
    path: str | Path, image: Image.Image, raw: str, *, page: int = 0
) -> tuple[NDArray[Any], str]:
    """Return the pixels [H, W, 1 to 4] and what they are: L, LA, RGB or RGBA."""
    if image.mode == "F":
        return np.asarray(image, np.float32)[..., None], "L"
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        return _keyed(np.asarray(image).astype(np.uint16)[..., None], key, "L")
    if ";16" in raw:
        deep = read_16_bits(path, raw, page=page)
        if deep is not None:
            return _keyed(deep, key, "LA" if deep.shape[2] == 2 else image.mode)
        warnings.warn(f"{path}: its 16 bits are read as 8", stacklevel=3)
    if image.mode not in (*_GREY, *_COLOUR):
        return to_srgb(image, name=str(path)), "RGB"
    grey = image.mode in _GREY
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return (rgba[..., [0, 3]], "LA") if grey else (rgba, "RGBA")
    levels = np.asarray(image.convert("L" if grey else "RGB"))
    return (levels[..., None], "L") if grey else (levels, "RGB")


def _keyed(pixels: NDArray[np.uint16], key: Any, mode: str) -> tuple[NDArray[np.uint16], str]:
    """Turn PNG's one transparent colour into opacity."""
    if key is None:
        return pixels, mode
    opaque = (pixels != np.asarray(key)).any(axis=2, keepdims=True)
    return np.concatenate([pixels, opaque.astype(np.uint16) * 65535], axis=2), mode + "A"


def _fitting(path: str | Path, profile: bytes, mode: str) -> bytes | None:
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError):
        space = "unreadable"
    if space == _SPACES[mode]:
        return profile
    warnings.warn(
        f"{path}: its colour profile is left out ({space}, the pixels are {mode})", stacklevel=3
    )
    return None


def _text(image: Image.Image) -> dict[str, str]:
    if isinstance(image, PngImagePlugin.PngImageFile):
        return {key: text for key, text in image.text.items() if key != "XML:com.adobe.xmp"}
    comment = image.info.get("comment")
    if not isinstance(comment, bytes):
        return {}
    return {"Comment": comment.rstrip(b"\0").decode("utf-8", "replace")}


def _bytes(packet: str | bytes | None) -> bytes | None:
    return packet.encode() if isinstance(packet, str) else packet


def _dpi(dpi: Any, tags: Tags) -> tuple[float, float] | None:
    """Take dots per inch from the format's own field, or from EXIF (unit 2: inch, 3: cm)."""
    per_inch = {2: 1.0, 3: 2.54}.get(tags.get(Base.ResolutionUnit, 2))
    if dpi is None and per_inch and Base.XResolution in tags and Base.YResolution in tags:
        dpi = tags[Base.XResolution] * per_inch, tags[Base.YResolution] * per_inch
    return None if dpi is None else (float(dpi[0]), float(dpi[1]))

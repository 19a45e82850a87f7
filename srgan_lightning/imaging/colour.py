"""Any Pillow image as 8-bit sRGB, the way a good viewer shows it."""

import functools
import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, *, name: str) -> NDArray[np.uint8]:
    """Convert an image of any mode.

    16-bit greys are scaled to 8 bits, palettes looked up, an embedded ICC profile is converted to
    sRGB, and what is transparent is laid over white.

    Args:
        image: of any mode.
        name: what warnings call the picture.

    Returns:
        uint8 `[H, W, 3]`.

    Raises:
        ValueError: for 32-bit integer or floating-point pixels, whose range nobody knows.

    Example:
        >>> to_srgb(Image.new("RGBA", (1, 1), (255, 0, 0, 0)), name="red").tolist()
        [[[255, 255, 255]]]
    """
    profile = image.info.get("icc_profile")
    image, alpha = _split_alpha(_to_8_bits(image))
    rgb = _apply_profile(image, profile, name) if profile else image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        rgb = Image.composite(rgb, white, alpha)
    return np.array(rgb)


def _to_8_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits; save it with 8 or 16 bits")
    return image


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the image in L, RGB, CMYK, YCbCr or LAB, and its opacity."""
    if image.has_transparency_data:
        kind = "L" if image.mode in ("1", "L", "LA") else "RGB"
        colour = image.convert("RGBA")
        return colour.convert(kind), colour.getchannel("A")
    if image.mode in ("P", "RGBX"):
        return image.convert("RGB"), None
    return (image.convert("L"), None) if image.mode == "1" else (image, None)


def _apply_profile(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    """Convert to sRGB; a profile that cannot be used is said loudly and left out."""
    try:
        mode = _profile_mode(profile)
        if mode == "RGB" and image.mode in ("L", "YCbCr"):
            image = image.convert("RGB")
        transform = _transform(profile, image.mode)
        shown = ImageCms.applyTransform(image, transform) if transform is not None else None
        return image.convert("RGB") if shown is None else shown
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError) as error:
        warnings.warn(f"{name}: its colour profile is ignored ({error})", stacklevel=2)
        return image.convert("RGB")


def _profile_mode(profile: bytes) -> str:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return _MODES[opened.profile.xcolor_space.strip()]


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the way to sRGB; None where it changes nothing by more than one level.

    sRGB comes under many names, and going from sRGB to sRGB by way of tables would only add
    rounding errors.
    """
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode == "CMYK":
        return transform
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(lattice if mode == "RGB" else steps[None])
    shown = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int)
    change = np.abs(shown - np.asarray(probe.convert("RGB")))
    return None if change.max() <= 1 else transform

"""Animated GIF, WebP and APNG, by Pillow: whole pictures in and out, each with its time."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_metadata
from srgan_lightning.imaging.document import Document, Metadata
from srgan_lightning.imaging.exif import resized, signed
from srgan_lightning.imaging.read import opened
from srgan_lightning.imaging.sixteen import raw_mode
from srgan_lightning.imaging.write import whole_file

ANIMATED_SUFFIXES = frozenset({".gif", ".webp", ".png", ".apng"})


@dataclass(frozen=True)
class Cel:
    """A picture of an animation, as it is seen: composed with what lies below.

    Attributes:
        document: uint8 RGB, with opacity where not all is opaque.
        milliseconds: how long it is shown.
    """

    document: Document
    milliseconds: float


class Animation:
    """The pictures of an open animation, in their order.

    Attributes:
        plays: how often it is shown; 0 for ever.
        metadata: what its file says besides.
    """

    def __init__(self, image: Image.Image, path: Path) -> None:
        self._image = image
        self._first = int(bool(image.info.get("default_image")))  # for viewers that see no APNG
        self.plays = _plays(image)
        self.metadata = read_metadata(image, profile=image.info.get("icc_profile"))
        if ";16" in raw_mode(image):
            warnings.warn(f"{path}: its 16 bits are read as 8", stacklevel=4)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return int(getattr(self._image, "n_frames", 1)) - self._first

    def __iter__(self) -> Iterator[Cel]:
        """Compose one picture after the other, upright."""
        for number in range(self._first, self._first + len(self)):
            self._image.seek(number)
            self._image.load()  # WebP tells a picture's duration only then
            milliseconds = float(self._image.info.get("duration", 0))
            rgba = np.asarray(ImageOps.exif_transpose(self._image.convert("RGBA")))
            alpha = rgba[..., 3]
            opaque = bool((alpha == 255).all())
            document = Document(
                np.ascontiguousarray(rgba[..., :3]), None if opaque else alpha, self.metadata
            )
            yield Cel(document, milliseconds)


def is_animated(path: Path) -> bool:
    """Tell whether a file is a GIF, WebP or PNG of more than one picture."""
    if path.suffix.lower() not in ANIMATED_SUFFIXES:
        return False
    try:
        with opened(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except UserError:  # whoever reads it will say what is wrong
        return False


@contextmanager
def opened_animation(path: Path) -> Iterator[Animation]:
    """Open an animation; whatever is broken in it becomes a `UserError`, also while it is read."""
    with opened(path) as image:
        yield Animation(image, path)


def animation_pixels(path: Path) -> int:
    """Return pictures × height × width.

    Raises:
        UserError: the file is missing or no picture.
    """
    with opened(path) as image:
        return int(getattr(image, "n_frames", 1)) * image.width * image.height


def _plays(image: Image.Image) -> int:
    """Read how often an animation is shown; GIF counts repetitions, the others performances."""
    loop = image.info.get("loop")
    if image.format == "GIF":
        return 1 if loop is None else loop and loop + 1
    return int(loop or 0)


def write_animation(
    path: Path, cels: Iterable[Cel], *, plays: int, provenance: Mapping[str, str]
) -> None:
    """Write an animation in the format of the file's suffix: WebP (lossless), APNG or GIF.

    Pictures that equal their forerunner are put together with it, their times added. A GIF's get a
    palette each, and its pixels are opaque or not there; this is said.

    Args:
        path: the file; its folder is made where it is missing.
        cels: the pictures, each with all the metadata.
        plays: how often it is to be shown; 0 for ever.
        provenance: goes where `write_document` puts it, in a GIF to the comment.

    Raises:
        UserError: for another suffix.
    """
    encode = _ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise UserError(f"{path}: animations are written as .webp .png .gif; name one of them")
    listed = list(cels)
    images = [Image.fromarray(cel.document.samples) for cel in listed]
    options = {
        "save_all": True,
        "append_images": images[1:],
        "duration": [round(cel.milliseconds) for cel in listed],
    }
    with whole_file(path) as part:
        encode(path, part, images, options, (plays, listed[0].document.metadata, provenance))


_Told = tuple[int, Metadata, Mapping[str, str]]


def _webp(path: Path, part: Path, images: list[Image.Image], options: Any, told: _Told) -> None:
    plays, metadata, provenance = told
    exif = Image.Exif()
    exif.update(resized(signed(metadata.exif, provenance), size=images[0].size))
    images[0].save(
        part,
        format="WEBP",
        lossless=True,
        exact=True,
        loop=plays,
        exif=exif,
        icc_profile=metadata.profile or b"",
        xmp=metadata.xmp or b"",
        **options,
    )
    _say(path, "WebP", ["its text"] if metadata.text else [])


def _apng(path: Path, part: Path, images: list[Image.Image], options: Any, told: _Told) -> None:
    plays, metadata, provenance = told
    info = PngInfo()
    for keyword, text in {**metadata.text, **provenance}.items():
        info.add_text(keyword, text)
    if metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    if metadata.exif:
        exif = Image.Exif()
        exif.update(resized(metadata.exif, size=images[0].size))
        options["exif"] = exif
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    images[0].save(
        part,
        format="PNG",
        loop=plays,
        pnginfo=info,
        icc_profile=metadata.profile,
        default_image=False,
        **options,
    )


def _gif(path: Path, part: Path, images: list[Image.Image], options: Any, told: _Told) -> None:
    plays, metadata, provenance = told
    lines = [metadata.text.get("Comment", ""), *(f"{k}: {v}" for k, v in provenance.items())]
    if plays != 1:
        options["loop"] = plays and plays - 1
    transparent = any(image.mode == "RGBA" for image in images)
    images = [_hard(image) if image.mode == "RGBA" else image for image in images]
    options["append_images"] = images[1:]
    comment = "\n".join(filter(None, lines)).encode()
    images[0].save(part, format="GIF", comment=comment, disposal=2 if transparent else 1, **options)
    lost = ["colours beyond 256 a picture"]
    lost += ["half opacity"] if transparent else []
    lost += ["times finer than 10 ms"] if any(ms % 10 for ms in options["duration"]) else []
    words = {"profile": "colour profile", "exif": "EXIF", "xmp": "XMP"}
    lost += [f"its {word}" for key, word in words.items() if getattr(metadata, key)]
    _say(path, "GIF", lost)


def _hard(image: Image.Image) -> Image.Image:
    """Make each pixel opaque or not there at all."""
    rgba = np.array(image)
    seen = rgba[..., 3] >= 128
    rgba[..., 3] = np.where(seen, 255, 0)
    rgba[~seen, :3] = 0
    return Image.fromarray(rgba)


def _say(path: Path, kind: str, lost: list[str]) -> None:
    if lost:
        warnings.warn(f"{path}: written as {kind}: no place for {', '.join(lost)}", stacklevel=4)


_ENCODERS: dict[str, Callable[[Path, Path, list[Image.Image], Any, _Told], None]] = {
    ".webp": _webp,
    ".png": _apng,
    ".apng": _apng,
    ".gif": _gif,
}

"""EXIF as plain mappings: read without what no longer holds, written without loss."""

from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

Tags = dict[int, Any]

# How the old file was laid out, what is kept elsewhere, and the orientation, which is applied.
_STALE = {
    *range(254, 267),
    *(273, 274, 277, 278, 279, 280, 281, 284, 288, 289, 292, 293, 317, 318, 319, 320, 322, 323),
    *(324, 325, 330, 338, 339, 347, 513, 514, 529, 530, 531, 532, 700, 34675),
}
_TABLES = (IFD.Exif, IFD.GPSInfo)
_SIZES = {Base.ExifImageWidth: 0, Base.ExifImageHeight: 1}


def read_exif(exif: Image.Exif) -> Tags:
    """Take what describes the picture, and leave out what described its file.

    Returns:
        Values by tag; the EXIF and GPS tables are mappings by their own tags.
    """
    tags = {tag: value for tag, value in exif.items() if tag not in {*_STALE, *IFD}}
    for table in _TABLES:
        if entries := dict(exif.get_ifd(table)):
            entries.pop(IFD.Interop, None)
            tags[table] = entries
    return tags


def resized(tags: Mapping[int, Any], *, size: tuple[int, int]) -> Tags:
    """Put the size that the picture now has wherever the tags tell one, and ready them to write.

    Args:
        tags: as `read_exif` gives them.
        size: (width, height).
    """
    ready: Tags = {}
    for tag, value in tags.items():
        if tag in _TABLES:
            told = {key: size[axis] for key, axis in _SIZES.items() if key in value}
            ready[tag] = {key: _bytes(entry) for key, entry in (value | told).items()}
        else:
            ready[tag] = _bytes(value)
    return ready


def signed(tags: Mapping[int, Any], provenance: Mapping[str, str]) -> Tags:
    """Add where the picture comes from: the program as Software, the rest to its description."""
    rest = "; ".join(f"{key}: {value}" for key, value in provenance.items() if key != "Software")
    old = str(tags.get(Base.ImageDescription, "")).strip()
    description = f"{old}\n{rest}" if old else rest
    return dict(tags) | {
        Base.Software: provenance["Software"],
        Base.ImageDescription: description,
    }


def _bytes(value: Any) -> Any:
    """Hand out text beyond ASCII as the bytes it was read from; Pillow would write "?" for "©"."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("latin-1", "replace")
    return value

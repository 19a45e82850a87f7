"""A fused picture to a file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.imaging.fits import scale_header
from srgan_lightning.imaging.write import whole_file

Planes = NDArray[np.float32]  # [C, H, W]
_THIRD_AXIS = re.compile(
    r"(NAXIS|CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)3[A-Z]?|(CD|PC)(3_\d|\d_3)[A-Z]?"
)


def write_picture(path: Path, picture: Planes, *, provenance: Mapping[str, str]) -> None:
    """Write TIFF in floating point, all other formats with 16 bits or what they have.

    Args:
        path: PNG, TIFF, JPEG, WebP or BMP.
        picture: `[1 or 3, H, W]` in [0, 1]; NaN becomes transparent, but stays NaN in TIFF.
        provenance: as `write_strips` takes it.
    """
    colour = np.ascontiguousarray(picture.transpose(1, 2, 0))
    alpha: NDArray[np.uint16] | None = None
    if path.suffix.lower() not in (".tif", ".tiff"):
        known: NDArray[np.bool_] = np.asarray(np.isfinite(colour).all(axis=2))
        if not known.all():
            alpha = np.where(known, 65535, 0).astype(np.uint16)
        levels = np.where(known[..., None], colour, 0).clip(0, 1) * 65535
        write_document(
            path, Document(np.rint(levels).astype(np.uint16), alpha), provenance=provenance
        )
    else:
        write_document(path, Document(colour.astype(np.float32)), provenance=provenance)


def write_fits(
    path: Path,
    picture: Planes,
    header: Any,
    *,
    maps: Mapping[str, Planes],
    units: tuple[float, float],
    scale: int,
    conserve: bool,
    provenance: Mapping[str, str],
) -> None:
    """Write a FITS file whose pixels point at the same sky as the reference frame's.

    Args:
        path: the file.
        picture: `[1, H, W]`, nominally in [0, 1].
        header: astropy's, of the reference frame; is left as it is.
        maps: "weight" and "uncertainty", `[1, H, W]`; or nothing.
        units: what 0 and 1 are in the file.
        scale: pixels of the picture along the side of a frame's.
        conserve: divide by scale², so that the sum over a star stays.
        provenance: goes to HISTORY.
    """
    from astropy.io import fits

    header = header.copy()
    for keyword in [key for key in header if _THIRD_AXIS.fullmatch(key)]:
        del header[keyword]
    if int(header.get("WCSAXES", 2)) > 2:
        header["WCSAXES"] = 2
    header["NAXIS"] = 2
    for keyword in ("XTENSION", "EXTNAME", "PCOUNT", "GCOUNT"):
        header.remove(keyword, ignore_missing=True)
    scale_header(header, (scale, scale))
    area = scale**2 if conserve else 1
    told = f"flux conserved: values / {area}" if conserve else "surface brightness kept"
    for line in (f"fused {scale} times, {told}", *(f"{k}: {v}" for k, v in provenance.items())):
        header.add_history(line.encode("ascii", "replace").decode())
    low, high = units
    values = ((picture[0].astype(np.float64) * (high - low) + low) / area).astype(np.float32)
    hdus = [fits.PrimaryHDU(values, header)]
    for name, (plane,) in maps.items():
        factor = (high - low) / area if name == "uncertainty" else 1
        hdus.append(fits.ImageHDU((plane * factor).astype(np.float32), name=name.upper()))
    with whole_file(path) as part:
        fits.HDUList(hdus).writeto(part)

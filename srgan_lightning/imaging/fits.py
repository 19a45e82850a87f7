"""FITS files (FITS standard 4.0), by astropy: opened, checked, and their headers scaled."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from srgan_lightning.errors import UserError

FITS_SUFFIXES = frozenset({".fits", ".fit", ".fts"})

_SIP = re.compile(r"(A|B|AP|BP)_(\d)_(\d)")
_LINEAR = re.compile(r"(?:CTYPE|CRVAL|CRPIX|CDELT|CUNIT)\d+([A-Z]?)|(?:CD|PC)\d+_\d+([A-Z]?)")
_STALE = ("CHECKSUM", "DATASUM", "DATAMIN", "DATAMAX", "BLANK", "BSCALE", "BZERO")


def is_fits(path: Path) -> bool:
    """Tell FITS by the file's suffix.

    >>> is_fits(Path("M42.FITS")), is_fits(Path("m42.png"))
    (True, False)
    """
    return path.suffix.lower() in FITS_SUFFIXES


@contextlib.contextmanager
def opened_fits(path: Path) -> Iterator[Any]:
    """Open a FITS file as astropy's HDUList.

    Raises:
        UserError: astropy is absent, the file is missing or broken, or no unit of it is an image.
    """
    try:
        from astropy.io import fits
        from astropy.utils.exceptions import AstropyWarning
    except ImportError:
        raise UserError(
            f"{path}: FITS wants astropy: pip install 'srgan-lightning[astro]'"
        ) from None
    try:
        with fits.open(path, memmap=False) as units:
            if not any(is_image(unit) for unit in units):
                raise UserError(f"{path}: holds no image of two or more axes")
            yield units
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, TypeError, KeyError, IndexError, AstropyWarning) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: cannot be read as FITS ({reason})") from None


def is_image(unit: Any) -> bool:
    """Tell whether a unit is an image with two or more axes, none of them empty."""
    return bool(unit.is_image and len(unit.shape) >= 2 and min(unit.shape) > 0)


def fits_pixels(path: Path) -> int:
    """Return the number of pixels of all images in a file, from its headers."""
    with opened_fits(path) as units:
        total = 0
        for unit in units:
            if is_image(unit):
                pixels = 1
                for side in unit.shape:
                    pixels *= int(side)
                total += pixels
        return total


def scale_header(header: Any, factors: tuple[float, float]) -> None:
    """Change a header so that the enlarged pixels point at the same sky.

    Pixel p (centres at whole numbers, the first at 1) becomes (p − ½)·s + ½. So CRPIX does; the
    matrix CD, or CDELT with PC, is divided by s for the two axes of the plane; SIP's coefficients
    A_p_q are multiplied by s1^(1 − p)·s2^(−q), B_p_q by s1^(−p)·s2^(1 − q) (Shupe et al. 2005).
    Alternative systems (A to Z) too.

    Args:
        header: astropy's, changed in place; keywords of the old values' range go.
        factors: s of the first axis (the width) and of the second.
    """
    for keyword in _STALE:
        header.remove(keyword, ignore_missing=True)
    axes = max(int(header.get("WCSAXES", 0)), int(header.get("NAXIS", 2)), 2)
    step = {axis: 1 / factors[axis - 1] if axis <= 2 else 1.0 for axis in range(1, axes + 1)}
    systems = {(m[1] or m[2] or "") for key in header if (m := _LINEAR.fullmatch(key))}
    for system in systems:
        _scale_linear(header, system, step)
    for key in list(header):
        if match := _SIP.fullmatch(key):
            own = 0 if match[1] in ("A", "AP") else 1
            header[key] *= factors[own] / factors[0] ** int(match[2]) / factors[1] ** int(match[3])
    for own, key in enumerate(("A_DMAX", "B_DMAX")):
        if key in header:
            header[key] *= factors[own]


def _scale_linear(header: Any, system: str, step: Mapping[int, float]) -> None:
    full = any(re.fullmatch(rf"CD\d+_\d+{system}", key) for key in header)
    for axis, size in step.items():
        if size != 1:
            reference = f"CRPIX{axis}{system}"
            header[reference] = (header.get(reference, 0.0) - 0.5) / size + 0.5
            if not full:
                header[f"CDELT{axis}{system}"] = header.get(f"CDELT{axis}{system}", 1.0) * size
        for other in step:
            entry, ratio = f"{'CD' if full else 'PC'}{other}_{axis}{system}", size
            if not full:
                ratio /= step[other]  # CDELT of the row is scaled already
            if entry in header and ratio != 1:
                header[entry] *= ratio


def tabulated(header: Any) -> list[str]:
    """Return the keywords of distortions in tables of pixels, which are not scaled."""
    return [key for key in header if re.match(r"(CPDIS|D2IMDIS|CQDIS)\d", key)]

"""A FITS file enlarged: every image plane by plane, its coordinates scaled, the rest kept."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from srgan_lightning.imaging.fits import is_image, opened_fits, scale_header, tabulated
from srgan_lightning.imaging.write import whole_file
from srgan_lightning.inference.planes import enlarge_plane
from srgan_lightning.inference.size import Wanted
from srgan_lightning.inference.upscaler import OnTile, Upscaler

Flux = Literal["keep", "conserve"]


def enlarge_fits(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    provenance: Mapping[str, str],
    flux: Flux = "keep",
    wanted: Wanted | None = None,
    on_tile: OnTile | None = None,
) -> None:
    """Enlarge all images of a FITS file; tables and spectra are copied as they are.

    An image of more than two axes is enlarged plane by plane, each as `enlarge_plane` says, which
    takes BLANK pixels as NaN. Values are written as floating point, for there is much between two
    integers: 32 bits, or 64 where the old ones had 32 bits of integer or more.

    Args:
        source: the file to read.
        target: the file to write.
        upscaler: computes in float32 here.
        provenance: goes to each image's HISTORY.
        flux: "keep" the surface brightness, so that values stay as they are; or "conserve" the
            total of an object, dividing values by the factor between the areas.
        wanted: the size; None is what the model makes.
        on_tile: as `Upscaler.enlarge` takes it.

    Raises:
        UserError: the source is broken or holds no image, or astropy is absent.
    """
    with opened_fits(source) as units:
        from astropy.io import fits

        enlarged = [
            _enlarged(source, unit, upscaler, provenance, flux, wanted or Wanted(), on_tile)
            if is_image(unit)
            else unit.copy()
            for unit in units
        ]
        if not isinstance(enlarged[0], fits.PrimaryHDU):
            enlarged.insert(0, fits.PrimaryHDU())
        with whole_file(target) as part:
            fits.HDUList(enlarged).writeto(part)


def _enlarged(
    source: Path,
    unit: Any,
    upscaler: Upscaler,
    provenance: Mapping[str, str],
    flux: Flux,
    wanted: Wanted,
    on_tile: OnTile | None,
) -> Any:
    from astropy.io import fits

    data = unit.data
    kind = np.float32 if data.dtype.kind == "f" and data.itemsize == 4 else np.float64
    if abs(unit.header.get("ZBITPIX", unit.header["BITPIX"])) < 32:
        kind = np.float32
    height, width = data.shape[-2:]
    size = wanted.of(height, width, most=upscaler.scale)
    result = np.empty((*data.shape[:-2], *size), kind)
    planes = result.reshape(-1, *size)
    for index, plane in enumerate(data.reshape(-1, height, width)):
        planes[index] = enlarge_plane(plane, upscaler, size=size, on_tile=on_tile)
    factors = size[1] / width, size[0] / height
    area = factors[0] * factors[1]
    if flux == "conserve":
        result /= area
    header = unit.header.copy()
    if tables := tabulated(header):
        warnings.warn(
            f"{source}: its distortions in tables ({', '.join(tables)}) are not scaled",
            stacklevel=3,
        )
    scale_header(header, factors)
    told = "surface brightness kept" if flux == "keep" else f"flux conserved: values / {area:g}"
    sides = f"{factors[0]:g}" if factors[0] == factors[1] else f"{factors[0]:g} x {factors[1]:g}"
    lines = [f"enlarged {sides} times, {told}", *(f"{k}: {v}" for k, v in provenance.items())]
    for line in lines:
        header.add_history(line.encode("ascii", "replace").decode())
    if isinstance(unit, fits.PrimaryHDU):
        return fits.PrimaryHDU(result, header)
    return fits.ImageHDU(result, header)

"""Single stars of a frame, by SExtractor's method (Bertin and Arnouts 1996; Barbary 2016)."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError

_ABOVE = 10.0  # standard deviations of the background
_BRIGHTEST = 2000  # are looked at, each beside all others
_ROUND = 1.3  # longer axis over shorter: a star, but no galaxy and no pair
_FAINT = 0.02  # of a star's light is what may stand beside it
_PLATEAU = 3  # pixels as bright as the brightest are saturated
_RADIUS = 4.0  # standard deviations of a star hold 99.97 % of a Gaussian's light

Image = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Stars:
    """Isolated, unsaturated, round stars.

    Attributes:
        xy: their centres in pixels, `[S, 2]`.
        radius: that holds the light of each, in pixels.
    """

    xy: Image
    radius: float


def find_stars(image: Image) -> Stars:
    """Find single stars in a frame `[H, W]`; NaN is unknown.

    Raises:
        UserError: sep is absent.
    """
    sep = _sep()
    unknown = ~np.isfinite(image)
    values = np.ascontiguousarray(np.where(unknown, 0, image))
    none = Stars(np.empty((0, 2)), 0.0)
    background = sep.Background(values, mask=unknown)
    values -= background.back()
    if not background.globalrms > 0:
        return none
    try:
        found = sep.extract(values, _ABOVE, err=background.globalrms, mask=unknown)
    except Exception as error:  # sep knows no narrower one
        if "pixel buffer" in str(error) or "deblend" in str(error):
            return none  # of something that is no star field
        raise
    found = found[np.isfinite(found["a"] + found["b"]) & (found["b"] > 0)]
    found = found[np.argsort(-found["flux"])[:_BRIGHTEST]]
    if not len(found):
        return none
    brightest = np.nanmax(image)
    saturated = np.inf
    if (image >= brightest).sum() >= _PLATEAU:
        saturated = 0.98 * brightest
    peaks = np.array([image[int(o["ypeak"]), int(o["xpeak"])] for o in found])
    round_ = (found["a"] < _ROUND * found["b"]) & (found["flag"] == 0) & (peaks < saturated)
    if not round_.any():
        return none
    radius = max(3.0, _RADIUS * float(np.median(found["a"][round_])))
    xy = np.stack([found["x"], found["y"]], axis=1)
    apart = np.linalg.norm(xy[:, None] - xy, axis=2)
    beside = ((apart < 2 * radius) * found["flux"]).sum(1) / found["flux"] - 1
    height, width = image.shape
    inside = (xy > radius).all(1) & (xy < np.array([width, height]) - 1 - radius).all(1)
    clean = np.array([_clean(unknown, place, radius) for place in xy])
    return Stars(xy[round_ & inside & clean & (beside < _FAINT)], radius)


def centred(image: Image, xy: Image, radius: float) -> Image:
    """Move centres `[S, 2]` to where the light of the stars has its own, by windowed means."""
    values = np.ascontiguousarray(image - np.nanmedian(image))
    x, y, _ = _sep().winpos(
        np.nan_to_num(values), *np.ascontiguousarray(xy.T), np.full(len(xy), radius / _RADIUS)
    )
    return np.stack([x, y], axis=1)


def star_light(image: Image, xy: Image, radius: float) -> Image:
    """Sum up the light of stars, less the background around each.

    Args:
        image: `[H, W]`, NaN is unknown.
        xy: the centres, `[S, 2]`.
        radius: of the aperture in pixels.

    Returns:
        `[S]`; NaN for a star that is not wholly in the image.
    """
    unknown = ~np.isfinite(image)
    values = np.ascontiguousarray(np.where(unknown, 0, image))
    ring = (radius + 1, radius + 5)
    light, _, flags = _sep().sum_circle(
        values, *np.ascontiguousarray(xy.T), radius, mask=unknown, bkgann=ring
    )
    return np.where(flags == 0, light, np.nan)


def _clean(unknown: NDArray[np.bool_], place: Image, radius: float) -> bool:
    left, top = np.maximum(place - radius, 0).astype(int)
    right, bottom = (place + radius + 1).astype(int)
    return not unknown[top:bottom, left:right].any()


def _sep() -> Any:
    try:
        import sep
    except ImportError:
        raise UserError("stars are found by sep: pip install 'srgan-lightning[astro]'") from None
    return sep

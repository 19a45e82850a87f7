"""Are the stars of SR those of HR? Detected by SEP (the core of SExtractor) and cross-matched."""

from dataclasses import dataclass

import numpy as np
import sep
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.metrics.preparation import to_y

Luma = NDArray[np.float64]

DETECTED = 5.0  # σ of HR's background: what counts as a star of SR or HR
FAINT = 2.5  # σ: fainter sources of HR that a star of SR may also be
TOLERANCE = 2.0  # HR pixels between a star of SR and its partner
APERTURE = 1.5  # LR pixels, the radius in which a star's S/N is taken
SIGNIFICANT = 10.0  # the S/N in LR from which on a star must be found


@dataclass
class Stars:
    """Counts over pictures.

    Attributes:
        found: significant stars of HR that SR has.
        significant: stars of HR with an S/N above `SIGNIFICANT` in LR.
        false: stars of SR where HR has not even a faint source.
        detected: stars of SR.
    """

    found: int = 0
    significant: int = 0
    false: int = 0
    detected: int = 0

    def update(self, sr: Tensor, hr: Tensor, lr: Tensor) -> None:
        """Take in a picture: all float `[1, 3, H, W]`, RGB in [0, 1]."""
        scale = hr.shape[-1] // lr.shape[-1]
        high, low, ours = (_luma(image) for image in (hr, lr, sr))
        noise = sep.Background(high).globalrms
        real = _positions(high, DETECTED * noise)
        faint = _positions(high, FAINT * noise)
        claimed = _positions(ours, DETECTED * noise)
        significant = real[_signal_to_noise(low, (real + 0.5) / scale - 0.5) > SIGNIFICANT]
        self.significant += len(significant)
        self.found += int(_has_partner(significant, claimed).sum())
        self.detected += len(claimed)
        self.false += int((~_has_partner(claimed, faint)).sum())

    def figures(self) -> dict[str, float]:
        """Return the shares of found and of false stars."""
        return {
            "stars_found": self.found / max(1, self.significant),
            "stars_false": self.false / max(1, self.detected),
            "stars": self.significant,
        }


def _luma(image: Tensor) -> Luma:
    luma: Luma = np.ascontiguousarray(to_y(image)[0, 0].double().numpy())
    return luma


def _positions(luma: Luma, threshold: float) -> Luma:
    """Return the stars' places, `[N, 2]` as (x, y)."""
    above = luma - sep.Background(luma).back()
    found = sep.extract(above, threshold, minarea=5)
    return np.stack([found["x"], found["y"]], axis=1)


def _signal_to_noise(luma: Luma, places: Luma) -> Luma:
    """Return the S/N at places, in a round aperture above the background."""
    background = sep.Background(luma)
    flux, error, _ = sep.sum_circle(
        luma - background.back(), *places.T, APERTURE, err=background.globalrms
    )
    return np.asarray(flux / error)


def _has_partner(places: Luma, others: Luma) -> NDArray[np.bool_]:
    """Say of each place whether another is near."""
    distances = np.hypot(*(places[:, None] - others[None]).transpose(2, 0, 1))
    return np.asarray((distances <= TOLERANCE).any(axis=1))

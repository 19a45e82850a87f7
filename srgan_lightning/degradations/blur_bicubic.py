"""The project's own degradation: a Gaussian blur, then plain bicubic."""

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.base import (
    DEGRADATIONS,
    Degradation,
    Range,
    check_bounds,
    draw,
    to_8_bits,
)
from srgan_lightning.degradations.blur import gaussian_blur, gaussian_radius


@DEGRADATIONS.register("blur_bicubic")
@dataclasses.dataclass(frozen=True, kw_only=True)
class BlurBicubic(Degradation):
    """Gaussian blur (reflected border), then bicubic (a = −0.75) without antialias.

    This is not the literature's "bicubic": a network scores about one dB less on it than on
    MATLAB's, so figures must name it.

    Args:
        scale: the factor between HR and LR.
        sigma: standard deviation of the blur in HR pixels; a range is drawn from per image.
            The kernel is as large as the largest sigma demands (9x9 for 1.6).
        quantize: round LR to 8 bits, as a file would hold it.

    Raises:
        UserError: for a sigma below 0, or an HR picture no larger than the kernel's radius.
    """

    sigma: float | Range = 1.6
    quantize: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds("sigma", self.sigma, low=0)

    def reduce(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Blur and reduce."""
        if isinstance(self.sigma, tuple):
            sigma, largest = draw(self.sigma, hr, generator), self.sigma[1]
        else:
            sigma, largest = hr.new_full((1,), self.sigma), self.sigma
        blurred = gaussian_blur(hr, sigma, radius=gaussian_radius(largest))
        size = [side // self.scale for side in hr.shape[-2:]]
        lr = F.interpolate(blurred, size, mode="bicubic", align_corners=False)
        return to_8_bits(lr) if self.quantize else lr.clamp(0, 1)

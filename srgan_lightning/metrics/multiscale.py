"""SSIM at several scales at once."""

import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.metrics.functional import WINDOW, similarity
from srgan_lightning.metrics.preparation import Space, prepare

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # β of Wang et al. 2003, section 3.2
SMALLEST = WINDOW * 2 ** (len(WEIGHTS) - 1)  # pixels; the window still fits at the last scale


def ms_ssim(sr: Tensor, hr: Tensor, *, crop: int = 4, space: Space = "y") -> Tensor:
    """Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003, eq. 7): 1 for equal ones.

    l_5^β₅ · Π_j (c_j s_j)^β_j over five scales, each half as large as the one before (means of
    2x2 pixels), c s and l as in `functional.ssim` and averaged over a scale's windows before the
    power; a negative average counts as 0.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.
        space: `y` or `rgb` (the mean of the three channels' values).

    Returns:
        float64 `[B]`.

    Raises:
        UserError: for pictures of different sizes, or with less than 176 pixels after the crop.

    Example:
        >>> import torch
        >>> hr = torch.rand(1, 3, 184, 184)
        >>> round(ms_ssim(hr, hr).item(), 6)
        1.0
    """
    sr, hr = prepare(sr, hr, crop=crop, space=space, smallest=SMALLEST)
    return ms_ssim_of_levels(sr, hr, similarity(sr, hr)[1])


def ms_ssim_of_levels(sr: Tensor, hr: Tensor, structure: Tensor) -> Tensor:
    """Return MS-SSIM `[B]` of what `prepare` gives.

    Args:
        sr: float64 `[B, C, H, W]`, levels of 255.
        hr: of the same shape.
        structure: the second of what `similarity` says of both.
    """
    total = structure.clamp(min=0) ** WEIGHTS[0]
    for weight in WEIGHTS[1:-1]:
        sr, hr = F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2)
        total = total * similarity(sr, hr)[1].clamp(min=0) ** weight
    whole, _ = similarity(F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2))
    return (total * whole.clamp(min=0) ** WEIGHTS[-1]).mean(1)

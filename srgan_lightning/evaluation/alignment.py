"""SR laid on HR before it is measured, as the literature of bursts does."""

import torch
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import pixel_grid
from srgan_lightning.multiframe.prepare import Level, grey, pyramid
from srgan_lightning.multiframe.registration.ecc import align

_SIGMA = 1.0  # HR pixels: noise and rings are blurred away
_LEAST = 8  # pixels of a side that a shift can be told from


def aligned(sr: Tensor, hr: Tensor, *, border: int, most: float) -> tuple[Tensor, float]:
    """Move SR by the one sub-pixel shift that lays it on HR.

    What many frames are fused to lies where their registration says, and an error that all frames
    share moves the whole picture. It is not what a method of fusion is measured by, so it is taken
    out (DBSR and BIPNet do so too, Bhat et al. 2021, Dudhane et al. 2022). The shift is found by
    the enhanced correlation coefficient, SR is read there by Keys' cubic.

    Args:
        sr: float `[1, C, H, W]`.
        hr: of the same shape.
        border: pixels at each side that do not take part in finding the shift.
        most: pixels; a shift that is longer, or none at all, leaves SR as it is.

    Returns:
        SR moved, and by how many pixels.

    Example:
        >>> hr = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> smooth = torch.nn.functional.avg_pool2d(hr, 5, 1, 2)
        >>> moved, shift = aligned(smooth.roll(2, -1), smooth, border=8, most=4)
        >>> round(shift, 3), float((moved - smooth)[..., 8:-8].abs().max()) < 0.01
        (2.0, True)
    """
    height, width = hr.shape[-2:]
    if min(height, width) < 2 * border + _LEAST:
        return sr, 0.0
    inner = (..., slice(border, height - border), slice(border, width - border))
    reference, moved = (_levels(image[inner]) for image in (hr, sr))
    identity = torch.eye(3, dtype=torch.float64)[None]
    shift = align(reference, moved, identity, model="translation")[0, :2, 2]
    length = float(shift.norm())
    if not length <= most:
        return sr, 0.0
    return sample_cubic(sr, (pixel_grid(height, width, device=hr.device) + shift)[None]), length


def _levels(image: Tensor) -> list[Level]:
    return pyramid(grey(image.float()), sigma=_SIGMA)

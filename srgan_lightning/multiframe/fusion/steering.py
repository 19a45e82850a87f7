"""Gaussian kernels that follow what a picture shows (Wronski et al. 2019, section 5.1.2)."""

import torch
from torch import Tensor

from srgan_lightning.multiframe.prepare import blur

_WINDOW = 1.0  # pixels, standard deviation: over so much slopes are gathered
_DETAIL = 0.25  # pixels: the kernel where there is detail of no direction
_DENOISE = 3.0  # times as wide where there is noise only
_STRETCH = 2.0  # times as long along an edge; the paper has 4, which lost 0.1 dB on photographs
_SHRINK = 2.0  # times as narrow across it
_LOWEST = 1.0  # of the noise's slopes: below all is noise
_HIGHEST = 2.25  # and above all is detail; both as Lafenetre et al. (2023) have them


def steered_kernels(image: Tensor, *, noise: float) -> Tensor:
    """Shape a Gaussian at each pixel: long on edges, small on detail, wide where it is flat.

    With λ₁ ≥ λ₂ the eigenvalues of the structure tensor, in units of what noise alone makes, and
    a = √((λ₁ − λ₂) / (λ₁ + λ₂)), its standard deviations across and along an edge are

        k ((1 − D) s⁻ᵃ + D d)   and   k ((1 − D) tᵃ + D d),

    where D goes from 1 to 0 as √λ₁ rises, and k, s, t and d are the constants above.

    Args:
        image: `[H, W]`, without NaN.
        noise: standard deviation of its noise.

    Returns:
        Covariances (xx, xy, yy) in square pixels, `[3, H, W]`.
    """
    down, across = torch.gradient(image)
    products = torch.stack([across * across, across * down, down * down])
    xx, xy, yy = blur(products, _WINDOW) / (noise**2 / 2)  # the variance of (a − b) / 2
    mean, turn = (xx + yy) / 2, (xx - yy) / 2
    swing = torch.hypot(turn, xy)  # λ₁ and λ₂ are mean ± swing
    edge = (swing / mean.clamp(min=1e-12)).clamp(max=1).sqrt()
    slope = (mean + swing).sqrt()
    flat = ((_HIGHEST - slope) / (_HIGHEST - _LOWEST)).clamp(0, 1)
    narrow, long = (
        (_DETAIL * ((1 - flat) * size**edge + flat * _DENOISE)).square()
        for size in (1 / _SHRINK, _STRETCH)
    )
    swing = swing.clamp(min=1e-12)
    half, excess = (narrow + long) / 2, (narrow - long) / 2
    return torch.stack(
        [half + excess * turn / swing, excess * xy / swing, half - excess * turn / swing]
    )

"""Blur kernels of Real-ESRGAN, one an image: bells of several shapes, and the sinc filter."""

import math

import torch
from torch import Tensor

from srgan_lightning.degradations.blur import elliptic_square


def bell_kernel(
    sigmas: Tensor, angle: Tensor, power: Tensor, plateau: Tensor, size: Tensor, *, radius: int
) -> Tensor:
    """Return generalized Gaussians exp(−½ q^β), or plateaus 1 / (1 + q^β), of sum 1.

    q = u²/σ₁² + v²/σ₂² in turned axes; β = 1 is the plain Gaussian (Wang et al. 2021, sec. 3.1,
    after Liu et al. 2020).

    Args:
        sigmas: σ₁ and σ₂ in pixels, above 0, `[B, 2]`.
        angle: of the axes in radians, `[B]`.
        power: β, `[B]`.
        plateau: which kernels are plateaus, bool `[B]`.
        size: sides in pixels, odd, up to 2 * radius + 1, `[B]`; a kernel is 0 beyond.
        radius: of what is returned, in pixels.

    Returns:
        `[B, 2 * radius + 1, 2 * radius + 1]`.
    """
    raised = elliptic_square(sigmas, angle, radius=radius) ** power[:, None, None]
    bell = torch.where(plateau[:, None, None], 1 / (1 + raised), torch.exp(-raised / 2))
    return _cut(bell, size)


def sinc_kernel(cutoff: Tensor, size: Tensor, *, radius: int) -> Tensor:
    """Return circular low-pass filters ω J₁(ω r) / (2π r) of sum 1 (Wang et al. 2021, eq. 7).

    They leave ringing and overshoot behind, as sharpening and compression do.

    Args:
        cutoff: ω in radians a pixel, up to π, `[B]`.
        size: sides in pixels, odd, up to 2 * radius + 1, `[B]`; a kernel is 0 beyond.
        radius: of what is returned, in pixels.

    Returns:
        `[B, 2 * radius + 1, 2 * radius + 1]`.
    """
    offsets = torch.arange(-radius, radius + 1, device=cutoff.device, dtype=cutoff.dtype)
    distance = (offsets[:, None] ** 2 + offsets**2).sqrt()
    omega = cutoff[:, None, None]
    wave = omega * torch.special.bessel_j1(omega * distance) / (2 * math.pi * distance)
    return _cut(torch.where(distance == 0, omega**2 / (4 * math.pi), wave), size)


def pulse(radius: int, like: Tensor) -> Tensor:
    """Return the kernel that changes nothing, `[2 * radius + 1, 2 * radius + 1]`."""
    offsets = torch.arange(-radius, radius + 1, device=like.device)
    return ((offsets[:, None] == 0) & (offsets == 0)).to(like.dtype)


def _cut(kernel: Tensor, size: Tensor) -> Tensor:
    radius = kernel.shape[-1] // 2
    offsets = torch.arange(-radius, radius + 1, device=kernel.device).abs()
    inside = offsets <= size[:, None] // 2
    kernel = kernel * (inside[:, :, None] & inside[:, None, :])
    return kernel / kernel.sum((-2, -1), keepdim=True)

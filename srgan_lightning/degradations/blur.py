"""Gaussian blurs with a kernel per image."""

import math

import torch
from kornia.filters import filter2d, filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from srgan_lightning.errors import UserError


def gaussian_radius(sigma: float) -> int:
    """Return the radius in pixels at which a Gaussian is cut: 2.5 standard deviations.

    >>> gaussian_radius(1.6)  # a kernel of 9x9
    4
    """
    return max(1, math.ceil(2.5 * sigma))


def gaussian_blur(image: Tensor, sigma: Tensor, *, radius: int) -> Tensor:
    """Blur with an isotropic Gaussian; borders are reflected without repeating the edge pixel.

    The same as `kornia.filters.gaussian_blur2d`, which would read sigma back from the device to
    check it.

    Args:
        image: `[B, C, H, W]`, H and W larger than the radius.
        sigma: standard deviations in pixels, `[B]` or `[1]`; 0 leaves the image as it is.
        radius: of the kernel, in pixels.
    """
    _check_size(image, radius)
    kernel = get_gaussian_kernel1d(2 * radius + 1, sigma[:, None])
    return filter2d_separable(image, kernel, kernel, border_type="reflect")


def anisotropic_blur(image: Tensor, sigmas: Tensor, angle: Tensor, *, radius: int) -> Tensor:
    """Blur with a turned elliptic Gaussian exp(−(u²/σ₁² + v²/σ₂²) / 2) of sum 1.

    u = x cos θ + y sin θ and v = y cos θ − x sin θ, x to the right and y down.

    Args:
        image: `[B, C, H, W]`, H and W larger than the radius.
        sigmas: σ₁ and σ₂ in pixels, above 0, `[B, 2]`.
        angle: θ in radians, `[B]`.
        radius: of the square kernel, in pixels.
    """
    _check_size(image, radius)
    kernel = torch.exp(-elliptic_square(sigmas, angle, radius=radius) / 2)
    return filter2d(image, kernel / kernel.sum((-2, -1), keepdim=True), border_type="reflect")


def elliptic_square(sigmas: Tensor, angle: Tensor, *, radius: int) -> Tensor:
    """Return u²/σ₁² + v²/σ₂² for each pixel of square kernels, as `anisotropic_blur` has it.

    Args:
        sigmas: σ₁ and σ₂ in pixels, above 0, `[B, 2]`.
        angle: θ in radians, `[B]`.
        radius: of the kernels, in pixels.

    Returns:
        `[B, 2 * radius + 1, 2 * radius + 1]`.
    """
    offsets = torch.arange(-radius, radius + 1, device=sigmas.device, dtype=sigmas.dtype)
    y, x = offsets[:, None], offsets[None, :]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    u, v = x * cos + y * sin, y * cos - x * sin
    first, second = sigmas[:, 0, None, None], sigmas[:, 1, None, None]
    return (u / first) ** 2 + (v / second) ** 2


def _check_size(image: Tensor, radius: int) -> None:
    height, width = image.shape[-2:]
    if min(height, width) <= radius:
        raise UserError(
            f"a picture of {height}x{width} is too small for a blur kernel of radius {radius}: "
            "leave it out or choose a smaller sigma"
        )

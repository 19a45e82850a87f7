"""Noise of a sensor: Gaussian, or Poisson's of counted light."""

import torch
from torch import Tensor

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R BT.601, as torchvision rounds it


def gaussian_noise(image: Tensor, sigma: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw noise N(0, σ²), `[B, C, H, W]`.

    Args:
        image: whose shape the noise has.
        sigma: σ in levels of 255, `[B]`.
        generator: the source of the draws, on the image's device.
    """
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    return noise * (sigma / 255).view(-1, 1, 1, 1)


def poisson_noise(
    image: Tensor, scale: Tensor, grey: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Draw noise a·(P(v x) / v − x), P(λ) being Poisson's (Wang et al. 2021, sec. 3.2).

    v, the light that white stands for, is the number of the image's levels of 255, rounded up to
    a power of two, as the authors' program has it.

    Args:
        image: x, `[B, 3, H, W]` in [0, 1]; taken as 8 bits.
        scale: a, `[B]`.
        grey: for which images x is their luma, bool `[B]`; take one channel of the noise there.
        generator: the source of the draws, on the image's device.
    """
    red, green, blue = torch.split(image, 1, dim=1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    levels = torch.where(grey.view(-1, 1, 1, 1), luma, image).mul(255).round().clamp(0, 255)
    there = image.new_zeros(len(image), 256).scatter_(1, levels.flatten(1).long(), 1.0)
    light = 2 ** (there.sum(1).log2() - 1e-3).ceil().view(-1, 1, 1, 1)  # 2⁸ is not above 256
    signal = levels / 255
    noise = torch.poisson(signal * light, generator=generator) / light - signal
    return noise * scale.view(-1, 1, 1, 1)


def add_noise(
    image: Tensor,
    *,
    gaussian: Tensor,
    sigma: Tensor,
    poisson_scale: Tensor,
    grey: Tensor,
    generator: torch.Generator | None,
) -> Tensor:
    """Add one of the two noises to each image, in colour or alike in all channels.

    Args:
        image: `[B, 3, H, W]`; clamped to [0, 1].
        gaussian: which images get Gaussian noise; the others get Poisson's, bool `[B]`.
        sigma: of the Gaussian noise, in levels of 255, `[B]`.
        poisson_scale: of Poisson's noise, `[B]`.
        grey: whose noise is alike in all channels, bool `[B]`.
        generator: the source of the draws, on the image's device.

    Returns:
        Images in [0, 1].
    """
    image = image.clamp(0, 1)
    noise = torch.where(
        gaussian.view(-1, 1, 1, 1),
        gaussian_noise(image, sigma, generator),
        poisson_noise(image, poisson_scale, grey, generator),
    )
    noise = torch.where(grey.view(-1, 1, 1, 1), noise[:, :1], noise)
    return (image + noise).clamp(0, 1)

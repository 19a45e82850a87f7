"""PSNR and SSIM as the field's tables have them, and a figure of sharpness.

Every function takes SR and HR as float `[B, 3, H, W]`, RGB in [0, 1], rounds both to 8 bits, cuts
the border off, and only then changes the colour space; all arithmetic is in float64. It gives one
float64 figure an image, `[B]`; the figure of a set is the mean over its images.
"""

import torch
from torch import Tensor

from srgan_lightning.metrics.preparation import Space, prepare

WINDOW = 11  # pixels; with σ = 1.5, as in Wang et al. 2004
ROUNDING = 1 / 12  # the variance that rounding to whole numbers adds


def psnr(sr: Tensor, hr: Tensor, *, crop: int = 4, space: Space = "y") -> Tensor:
    """Peak signal-to-noise ratio in dB: 10 log₁₀(255² / MSE), infinite for equal pictures.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border; the papers take the scale.
        space: `y` (luma, as in most papers) or `rgb` (one MSE over the three channels).

    Returns:
        float64 `[B]`.

    Raises:
        UserError: for pictures of different sizes, or with nothing left after the crop.

    Example:
        >>> hr = torch.zeros(1, 3, 16, 16)
        >>> psnr(hr + 1 / 255, hr, space="rgb").item()
        48.1308...
    """
    return psnr_of_levels(*prepare(sr, hr, crop=crop, space=space))


def psnr_of_levels(sr: Tensor, hr: Tensor) -> Tensor:
    """Return PSNR `[B]` of what `prepare` gives."""
    return 10 * torch.log10(255**2 / (sr - hr).square().mean(dim=(1, 2, 3)))


def ssim(sr: Tensor, hr: Tensor, *, crop: int = 4, space: Space = "y") -> Tensor:
    """Structural similarity (Wang et al. 2004): 1 for equal pictures.

    The mean over all whole 11x11 windows w (Gaussian, σ = 1.5) and over the channels of
    (2 μ_s μ_h + C₁)(2 σ_sh + C₂) / ((μ_s² + μ_h² + C₁)(σ_s² + σ_h² + C₂)),
    with μ = Σ w x, σ_sh = Σ w s h − μ_s μ_h, C₁ = (0.01 · 255)² and C₂ = (0.03 · 255)².

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.
        space: `y` or `rgb` (the mean of the three channels' values).

    Returns:
        float64 `[B]`.

    Raises:
        UserError: for pictures of different sizes, or smaller than the window after the crop.
    """
    sr, hr = prepare(sr, hr, crop=crop, space=space, smallest=WINDOW)
    return similarity(sr, hr)[0].mean(1)


def similarity(sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM and its part without luminance, each the mean over all whole windows.

    Args:
        sr: float64 `[B, C, H, W]`, levels of 255.
        hr: of the same shape.

    Returns:
        Twice `[B, C]`: luminance x contrast x structure, and contrast x structure alone.
    """
    moments = torch.stack([sr, hr, sr * sr + hr * hr, sr * hr])
    mean_s, mean_h, squares, product = _blur_valid(moments).unbind()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means, crossed = mean_s**2 + mean_h**2, mean_s * mean_h
    luminance = (2 * crossed + c1) / (means + c1)
    structure = (2 * (product - crossed) + c2) / (squares - means + c2)
    return (luminance * structure).mean(dim=(2, 3)), structure.mean(dim=(2, 3))


def high_frequency_energy(image: Tensor, *, crop: int = 4, scale: int = 4) -> Tensor:
    """Energy of the luma at the frequencies that an LR picture cannot hold.

    E = Σ |DFT(w · (Y − mean Y))|² / (N Σ w²), summed over the frequencies with |f_x| or |f_y|
    above LR's Nyquist limit of 1 / (2 · scale) cycles per HR pixel. N is the number of pixels and
    w a Hann window, which keeps the picture's borders from counting as edges. By Parseval's
    theorem E is that band's share of the variance of Y.

    Args:
        image: float `[B, 3, H, W]`, RGB in [0, 1].
        crop: pixels left out at each border.
        scale: the factor between HR and LR.

    Returns:
        float64 `[B]`, in squared levels of 255.
    """
    luma, _ = prepare(image, image, crop=crop, space="y", smallest=3)
    return _energy(luma, scale)


def sharpness(sr: Tensor, hr: Tensor, *, crop: int = 4, scale: int = 4) -> Tensor:
    """How sharp SR is, HR being 1: (E(SR) + 1/12) / (E(HR) + 1/12).

    E is `high_frequency_energy`. A figure below 1 means blur, above 1 noise or exaggerated
    detail; it says nothing about whether the detail is right. 1/12 is the variance of rounding to
    8 bits; it keeps the ratio meaningful where HR is flat.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.
        scale: the factor between HR and LR.

    Returns:
        float64 `[B]`.

    Raises:
        UserError: for pictures of different sizes, or too small.
    """
    return sharpness_of_levels(*prepare(sr, hr, crop=crop, space="y", smallest=3), scale=scale)


def sharpness_of_levels(sr: Tensor, hr: Tensor, *, scale: int) -> Tensor:
    """Return the sharpness `[B]` of lumas that `prepare` gives."""
    return (_energy(sr, scale) + ROUNDING) / (_energy(hr, scale) + ROUNDING)


def _energy(luma: Tensor, scale: int) -> Tensor:
    height, width = luma.shape[-2:]
    window = torch.outer(_hann(height, luma), _hann(width, luma))
    # The spectrum of real numbers is its own mirror: half of the columns stand for the others.
    half = torch.view_as_real(torch.fft.rfft2((luma - luma.mean((-2, -1), keepdim=True)) * window))
    limit = 1 / (2 * scale)
    rows = torch.fft.fftfreq(height, device=luma.device).abs() > limit
    columns = torch.fft.rfftfreq(width, device=luma.device)
    band = (rows[:, None] | (columns > limit)).to(luma)
    band[:, 1 : (width + 1) // 2] *= 2
    power = torch.sum(half.square().sum(-1) * band, dim=(1, 2, 3))
    return power / (height * width * window.square().sum())


def _blur_valid(image: Tensor) -> Tensor:
    """Weight `[..., H, W]` with the Gaussian window, where it fits: `[..., H − 10, W − 10]`."""
    offsets = torch.arange(WINDOW, dtype=image.dtype, device=image.device) - WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * 1.5**2))
    weights = weights / weights.sum()
    for axis in (-2, -1):
        length = image.shape[axis] - WINDOW + 1
        total = torch.zeros_like(image.narrow(axis, 0, length))
        for tap, weight in enumerate(weights):
            total.addcmul_(image.narrow(axis, tap, length), weight)
        image = total
    return image


def _hann(length: int, like: Tensor) -> Tensor:
    return torch.hann_window(length, periodic=False, dtype=like.dtype, device=like.device)

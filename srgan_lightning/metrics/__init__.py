"""Metrics: PSNR, SSIM and MS-SSIM to the digit, sharpness, shifts and learned distances."""

from srgan_lightning.metrics.colour import brightness_shift, colour_shift
from srgan_lightning.metrics.functional import high_frequency_energy, psnr, sharpness, ssim
from srgan_lightning.metrics.metrics import (
    MSSSIM,
    PSNR,
    SSIM,
    BrightnessShift,
    ColourShift,
    Sharpness,
)
from srgan_lightning.metrics.multiscale import ms_ssim
from srgan_lightning.metrics.perceptual import LearnedDistance
from srgan_lightning.metrics.preparation import quantize, to_y

__all__ = [
    "MSSSIM",
    "PSNR",
    "SSIM",
    "BrightnessShift",
    "ColourShift",
    "LearnedDistance",
    "Sharpness",
    "brightness_shift",
    "colour_shift",
    "high_frequency_energy",
    "ms_ssim",
    "psnr",
    "quantize",
    "sharpness",
    "ssim",
    "to_y",
]

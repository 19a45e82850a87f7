"""Metrics: the field's PSNR and SSIM to the digit, and sharpness."""

from srgan_lightning.metrics.functional import (
    high_frequency_energy,
    psnr,
    quantize,
    sharpness,
    ssim,
    to_y,
)
from srgan_lightning.metrics.metrics import PSNR, SSIM, Sharpness

__all__ = [
    "PSNR",
    "SSIM",
    "Sharpness",
    "high_frequency_energy",
    "psnr",
    "quantize",
    "sharpness",
    "ssim",
    "to_y",
]

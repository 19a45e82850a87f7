"""JPEG's loss without its file: a batch of pictures, each with its own quality.

kornia's `jpeg_codec_differentiable` would do, but reads the qualities back from the device to
check them, and rounds by a polynomial for the gradient's sake, which no degradation needs.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

# ITU-T T.81 (1992), annex K.1: quantisation steps of luminance and chrominance at quality 50.
_LUMINANCE = """
16 11 10 16  24  40  51  61
12 12 14 19  26  58  60  55
14 13 16 24  40  57  69  56
14 17 22 29  51  87  80  62
18 22 37 56  68 109 103  77
24 35 55 64  81 104 113  92
49 64 78 87 103 121 120 101
72 92 95 98 112 100 103  99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99
18 21 26 66 99 99 99 99
24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
"""


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Compress and decompress as libjpeg does by default (4:2:0, tables scaled by quality).

    Args:
        image: float32 `[B, 3, H, W]`, RGB in [0, 1].
        quality: `[B]` in 1 to 100; rounded to integers.

    Returns:
        `[B, 3, H, W]` in [0, 1], multiples of 1/255.
    """
    height, width = image.shape[-2:]
    padded = F.pad(image, (0, -width % 16, 0, -height % 16), mode="replicate")
    luma, blue, red = torch.split(_to_ycbcr(padded.clamp(0, 1).mul(255).round()), 1, dim=1)
    luminance, chrominance = (_steps(table, quality) for table in (_LUMINANCE, _CHROMINANCE))
    luma = _code(luma, luminance)
    chroma = _code(_halve(torch.cat([blue, red], 1)), chrominance)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = _to_rgb(luma, chroma.round() - 128)
    return rgb[..., :height, :width].round().clamp(0, 255) / 255


def _steps(table: str, quality: Tensor) -> Tensor:
    """Return each image's quantisation steps `[B, 1, 1, 1, 8, 8]`, as libjpeg scales them."""
    quality = quality.round().clamp(1, 100)
    percent = torch.where(quality < 50, torch.floor(5000 / quality), 200 - 2 * quality)
    base = _table(table, quality.device)
    return ((base * percent.view(-1, 1, 1, 1, 1, 1) + 50) / 100).floor().clamp(1, 255)


def _code(plane: Tensor, steps: Tensor) -> Tensor:
    """Round the cosine coefficients of 8x8 blocks of `[B, C, H, W]` in [0, 255] to the steps."""
    dct = _dct(plane.device)
    batch, channels, height, width = plane.shape
    blocks = plane.reshape(batch, channels, height // 8, 8, width // 8, 8).transpose(3, 4) - 128
    coefficients = (dct @ blocks @ dct.T / steps).round() * steps
    decoded = (dct.T @ coefficients @ dct).round() + 128
    return decoded.clamp(0, 255).transpose(3, 4).reshape(plane.shape)


def _halve(plane: Tensor) -> Tensor:
    """Average 2x2 pixels; libjpeg rounds halves down and up in turn along a row."""
    mean = F.avg_pool2d(plane, 2)
    turn = torch.arange(mean.shape[-1], device=mean.device) % 2
    return (mean + 0.25 + 0.25 * turn).floor()


def _to_ycbcr(rgb: Tensor) -> Tensor:
    """Convert to JFIF's full-range Y, Cb, Cr, in whole numbers from 0 to 255."""
    red, green, blue = torch.split(rgb, 1, dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.cat([luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128], 1).round()


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    blue, red = torch.split(chroma, 1, dim=1)
    green = (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587
    return torch.cat([luma + 1.402 * red, luma - green, luma + 1.772 * blue], 1)


@functools.lru_cache
def _table(text: str, device: torch.device) -> Tensor:
    steps = [float(number) for number in text.split()]
    return torch.tensor(steps).view(8, 8).to(device, non_blocking=True)


@functools.lru_cache
def _dct(device: torch.device) -> Tensor:
    """Return the orthonormal DCT-II: row k is c(k) cos((2n + 1) k π / 16)."""
    frequency, sample = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos((2 * sample + 1) * frequency * math.pi / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis.to(device, non_blocking=True)

"""MATLAB's `imresize`, to the pixel, as two matrix products."""

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

Kernel = Literal["box", "triangle", "cubic", "lanczos3"]


def imresize(
    image: Tensor,
    *,
    scale: float | Fraction | None = None,
    size: tuple[int, int] | None = None,
    kernel: Kernel = "cubic",
    antialias: bool = True,
    quantize_axes: bool = False,
) -> Tensor:
    """Resize as MATLAB does: output i at u = i / scale + (1 − 1 / scale) / 2, counted from 1.

    Each output is the normalised sum of the inputs around u, weighted with the kernel, which is
    stretched by 1 / scale when it reduces (antialias). The picture goes on beyond its borders as
    in a mirror that repeats the edge pixel. The axis with the smaller scale goes first, else the
    rows.

    Args:
        image: float `[..., H, W]`; in [0, 1] if `quantize_axes`.
        scale: the factor of both axes; the output has ceil(scale · side) pixels.
        size: instead of the scale, the output's (height, width).
        kernel: cubic (Keys 1981, a = −0.5), triangle, box or lanczos3.
        antialias: stretch the kernel when reducing.
        quantize_axes: do as with a uint8 picture: take the input as 8 bits and round to 8 bits
            after each axis (halves go up). Then exact equality with MATLAB holds, and the
            result has no gradient.

    Returns:
        `[..., H', W']` of the image's dtype and device; computed in float64 where there is one.

    Raises:
        ValueError: unless exactly one of scale and size is given.

    Example:
        >>> imresize(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), size=(1, 2), kernel="box")
        tensor([[0., 1.]])
    """
    if (scale is None) == (size is None):
        raise ValueError("imresize takes either a scale or a size")
    sides = image.shape[-2:]
    if scale is not None:
        size = math.ceil(scale * sides[0]), math.ceil(scale * sides[1])
        scales = float(scale), float(scale)
    else:
        assert size is not None
        scales = size[0] / sides[0], size[1] / sides[1]
    dtype = torch.float32 if image.device.type == "mps" else torch.float64
    result = image.to(dtype)
    if quantize_axes:
        result = result.clamp(0, 1).mul(255).round()
    for axis in sorted((0, 1), key=scales.__getitem__):
        weights = resize_weights(
            sides[axis], size[axis], scales[axis], kernel, antialias, image.device, dtype
        )
        result = weights @ result if axis == 0 else result @ weights.T
        if quantize_axes:
            result = result.add(0.5).floor().clamp(0, 255)
    return (result / 255 if quantize_axes else result).to(image.dtype)


@functools.lru_cache(maxsize=64)
def resize_weights(
    length: int,
    output: int,
    scale: float,
    kernel: Kernel,
    antialias: bool,
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """Return the matrix `[output, length]` that resizes one axis; its rows sum to 1."""
    function, width = _KERNELS[kernel]
    stretch = max(1.0, 1 / scale) if antialias else 1.0
    with torch.inference_mode(False):
        centre = torch.arange(1, output + 1, dtype=torch.float64) / scale + (1 - 1 / scale) / 2
        left = torch.floor(centre - width * stretch / 2)
        taps = left[:, None] + torch.arange(math.ceil(width * stretch) + 2)
        weights = function((centre[:, None] - taps) / stretch)
        weights = weights / weights.sum(1, keepdim=True)
        mirrored = (taps.long() - 1) % (2 * length)
        index = torch.minimum(mirrored, 2 * length - 1 - mirrored)
        matrix = torch.zeros(output, length, dtype=torch.float64)
        return matrix.scatter_add_(1, index, weights).to(dtype).to(device, non_blocking=True)


def _box(x: Tensor) -> Tensor:
    return ((x >= -0.5) & (x < 0.5)).to(x.dtype)


def _triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, near, torch.where(x <= 2, far, 0))


def _lanczos3(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, torch.sinc(x) * torch.sinc(x / 3), 0)


_KERNELS: dict[Kernel, tuple[Callable[[Tensor], Tensor], int]] = {
    "box": (_box, 1),
    "triangle": (_triangle, 2),
    "cubic": (_cubic, 4),
    "lanczos3": (_lanczos3, 6),
}

"""A document enlarged: colour by the generator, opacity by interpolation, the rest kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srgan_lightning.degradations.resize import imresize
from srgan_lightning.imaging.document import LEVELS, Document
from srgan_lightning.inference.planes import enlarge_plane
from srgan_lightning.inference.upscaler import Upscaler


def enlarge_document(
    document: Document, upscaler: Upscaler, *, on_tile: Callable[[int], None] | None = None
) -> Document:
    """Enlarge a picture with all that belongs to it.

    Grey goes through the generator as RGB of equal channels and comes back as their mean. Floating
    point is stretched as `enlarge_plane` says. Opacity is enlarged bicubically: it is a mask and no
    photograph, a generator would invent texture in it, and what is wholly opaque must stay so.

    Args:
        document: the picture.
        upscaler: of 8 bits it computes at its own precision, of more in float32.
        on_tile: as `Upscaler.enlarge` takes it.
    """
    colour = document.colour
    if colour.dtype == np.float32:
        planes = [
            enlarge_plane(colour[..., channel], upscaler, on_tile=on_tile)
            for channel in range(colour.shape[2])
        ]
        enlarged = np.stack(planes, axis=2).astype(np.float32)
    elif colour.shape[2] == 1:
        rgb = upscaler.enlarge(np.repeat(colour, 3, axis=2), on_tile=on_tile)
        grey = rgb.astype(np.float64).mean(axis=2, keepdims=True)
        enlarged = np.rint(grey).astype(colour.dtype)
    else:
        enlarged = upscaler.enlarge(colour, on_tile=on_tile)
    alpha = document.alpha
    return replace(
        document,
        colour=enlarged,
        alpha=None if alpha is None else _enlarged_alpha(alpha, upscaler.scale),
    )


def _enlarged_alpha(alpha: NDArray[Any], scale: int) -> NDArray[Any]:
    image = torch.from_numpy(alpha.astype(np.float64))
    enlarged = imresize(image, scale=scale).numpy().clip(0, LEVELS[alpha.dtype])
    return np.asarray(np.rint(enlarged).astype(alpha.dtype))

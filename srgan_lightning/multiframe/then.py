"""A fused picture enlarged further by a generator."""

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.inference.planes import fill
from srgan_lightning.inference.upscaler import Upscaler

Planes = NDArray[np.float32]  # [C, H, W]


def enlarged(picture: Planes, upscaler: Upscaler) -> Planes:
    """Enlarge a picture whose pixels may be unknown.

    Args:
        picture: `[1 or 3, H, W]`, NaN where no frame looked: filled from around before, and unknown
            again after.
        upscaler: computes in float32 here.

    Returns:
        `[C, scale·H, scale·W]`.
    """
    known = np.isfinite(picture)
    if known.any() and not known.all():
        pairs = zip(picture.astype(np.float64), known, strict=True)
        filled = np.stack([fill(plane, there) for plane, there in pairs]).astype(np.float32)
    else:
        filled = picture
    lr = np.ascontiguousarray(filled.transpose(1, 2, 0))
    sr = np.concatenate([*upscaler.strips(lr)]).transpose(2, 0, 1)
    unknown = ~known.repeat(upscaler.scale, 1).repeat(upscaler.scale, 2)
    return np.where(unknown, np.float32(np.nan), sr)

"""Frames added up, one after the other: shift-and-add, and drizzle (Fruchter and Hook 2002)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.errors import UserError
from srgan_lightning.inference.planes import fill
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.fused import Fused, places

_Told = Callable[[int], None]


def shift_and_add(
    frames: Frames, motion: Motion, *, scale: int, on_pixels: _Told = lambda pixels: None
) -> Fused:
    """Put each pixel of the frames on the nearest HR pixel and take the mean of what lies there.

    HR pixels that nothing lies on are filled from their neighbours; their weight is 0. Memory does
    not depend on the number of frames.

    Args:
        frames: those to be fused.
        motion: of these frames.
        scale: the factor.
        on_pixels: called after each frame with the number of its pixels.
    """
    height, width = frames.size
    sums = _Sums.empty(frames.channels, height * scale, width * scale)
    grid = pixel_grid(height, width)
    for n, frame in enumerate(frames):
        x, y = (places(motion, n, grid, scale=scale) + 0.5).floor().long().unbind(-1)
        inside = (x >= 0) & (y >= 0) & (x < width * scale) & (y < height * scale)
        sums.add((y * width * scale + x)[inside], frame[:, inside])
        on_pixels(height * width)
    return sums.fused()


@dataclasses.dataclass(frozen=True)
class _Sums:
    """Numbers, sums and sums of squares of what lies on each pixel."""

    count: Tensor
    total: Tensor
    square: Tensor

    @classmethod
    def empty(cls, channels: int, height: int, width: int) -> "_Sums":
        one, two, three = torch.zeros(3, channels, height, width, dtype=torch.float64)
        return cls(one, two, three)

    def add(self, index: Tensor, values: Tensor) -> None:
        known = values.isfinite()
        values = torch.where(known, values, 0).double()
        for sums, terms in (
            (self.count, known.double()),
            (self.total, values),
            (self.square, values**2),
        ):
            sums.flatten(1).index_add_(1, index, terms)

    def fused(self) -> Fused:
        mean = self.total / self.count
        spread = (self.square / self.count - mean**2).clamp(min=0)
        often = self.count > 1
        freedom = (self.count - 1)[often].sum().clamp(min=1)
        noise = ((spread * self.count)[often].sum() / freedom).sqrt()
        uncertainty = noise / self.count.sqrt()
        return Fused(_whole(mean).float(), self.count.mean(0).float(), uncertainty.float())


def _whole(picture: Tensor) -> Tensor:
    """Fill what is NaN from its neighbours."""
    if not picture.isfinite().any():
        return picture
    return torch.from_numpy(
        np.stack([fill(plane, np.isfinite(plane)) for plane in picture.numpy()])
    )


def drizzle(
    frames: Frames,
    motion: Motion,
    *,
    scale: int,
    pixfrac: float = 0.7,
    on_pixels: _Told = lambda pixels: None,
) -> Fused:
    """Shrink the pixels of the frames and let them drop on the HR grid, by STScI's drizzle.

    Surface brightness is kept. HR pixels that no drop touches are NaN. Memory does not depend on
    the number of frames.

    Args:
        frames: those to be fused.
        motion: of these frames.
        scale: the factor.
        pixfrac: the side of a drop, in pixels of a frame.
        on_pixels: called after each frame with the number of its pixels.

    Raises:
        UserError: the package `drizzle` is absent.
    """
    height, width = frames.size
    shape = height * scale, width * scale
    made = [_drizzler(shape) for _ in range(2 * frames.channels)]
    grid = pixel_grid(height, width)
    for n, frame in enumerate(frames):
        pixmap = places(motion, n, grid, scale=scale).numpy()
        for channel, plane in enumerate(frame.numpy()):
            known = np.isfinite(plane)
            values = np.where(known, plane, 0).astype(np.float32)
            # Means of the squares too: what the frames differ by is their noise.
            for drizzler, data in zip(
                made[2 * channel : 2 * channel + 2], (values, values**2), strict=True
            ):
                drizzler.add_image(
                    data,
                    exptime=1.0,
                    pixmap=pixmap,
                    pixfrac=pixfrac,
                    weight_map=known.astype(np.float32),
                )
        on_pixels(height * width)
    return _dried(made[::2], made[1::2], len(frames), scale, pixfrac)


def _drizzler(shape: tuple[int, int]) -> Any:
    try:
        from drizzle.resample import Drizzle
    except ImportError:
        raise UserError(
            "--method drizzle wants the package drizzle: pip install 'srgan-lightning[astro]'"
        ) from None
    return Drizzle(out_shape=shape, kernel="square", fillval="NaN", disable_ctx=True)


def _dried(means: list[Any], squares: list[Any], count: int, scale: int, pixfrac: float) -> Fused:
    mean = torch.from_numpy(np.stack([one.out_img for one in means]))
    square = torch.from_numpy(np.stack([one.out_img for one in squares]))
    weight = torch.from_numpy(np.stack([one.out_wht for one in means]))
    return Fused(mean, weight.mean(0), (square - mean**2).clamp(min=0).sqrt() / weight.sqrt())

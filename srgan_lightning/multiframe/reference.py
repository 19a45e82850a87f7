"""The picture that all frames of a burst are compared with."""

import torch
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.prepare import filled


def least_moved(frames: Frames, motion: Motion) -> tuple[int, Tensor]:
    """Find the frame that is moved least; the reference itself, where that is among the frames.

    Returns:
        Its number, and the frame read where the reference has its pixels, `[C, H, W]`, NaN where
        it knows nothing.
    """
    height, width = frames.size
    grid = pixel_grid(height, width, device=motion.matrices.device)
    far = [(motion.points(n, grid) - grid).square().mean() for n in range(len(motion))]
    least = int(torch.stack(far).argmin())
    frame, places = frames[least].to(grid.device), motion.points(least, grid)
    known = frame.isfinite().all(0).to(frame.dtype)
    x, y = places.unbind(-1)
    there = sample_cubic(known[None, None], places[None])[0] > 1 - 1e-3
    there &= (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
    return least, torch.where(there, sample_cubic(filled(frame)[None], places[None])[0], torch.nan)

"""A burst in one tensor: what its frames saw, where their pixels looked, and how blurred it is."""

import torch
from torch import Tensor

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion, pixel_grid


def sighted(frames: Tensor, motion: Motion, *, sigma: float) -> Tensor:
    """Append to frames where their pixels look, and their blur.

    Args:
        frames: `[N, C, H, W]`.
        motion: of these frames.
        sigma: standard deviation of their blur in pixels.

    Returns:
        `[N, C + 3, H, W]` of the frames' type. The first two of the new channels are a displacement
        (x, y) in pixels: a frame's pixel at p shows the place p + displacement of the reference.
        The third is sigma everywhere.

    Example:
        >>> motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [0.5, -1.0]]))
        >>> sighted(torch.zeros(2, 3, 4, 4), motion, sigma=0.25)[1, 3:, 2, 2].tolist()
        [-0.5, 1.0, 0.25]
    """
    here = pixel_grid(*frames.shape[-2:], device=frames.device)
    there = [motion.back(n, here) - here for n in range(len(frames))]
    looking = torch.stack(there).permute(0, 3, 1, 2).to(frames.dtype)
    return torch.cat([frames, looking, torch.full_like(looking[:, :1], sigma)], dim=1)


def observe_sighted(burst: Burst, hr: Tensor, generator: torch.Generator | None) -> Tensor:
    """Make a burst of each picture `[B, 3, H, W]`, exactly told of: `[B, N, 6, h, w]`."""
    sigma = burst.draw_blur(hr, generator)
    frames, motions = burst.observe(hr, generator, sigma=sigma)
    bursts = zip(frames, motions, sigma.tolist(), strict=True)
    return torch.stack([sighted(seen, motion, sigma=blur) for seen, motion, blur in bursts])

"""A burst in one tensor: what its frames saw, and where each of their pixels looked."""

import torch
from torch import Tensor

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion, pixel_grid


def sighted(frames: Tensor, motion: Motion) -> Tensor:
    """Append to frames where their pixels look.

    Args:
        frames: `[N, C, H, W]`.
        motion: of these frames.

    Returns:
        `[N, C + 2, H, W]` of the frames' type. The last two channels are a displacement (x, y) in
        pixels: a frame's pixel at p shows the place p + displacement of the reference.

    Example:
        >>> motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [0.5, -1.0]]))
        >>> sighted(torch.zeros(2, 3, 4, 4), motion)[1, 3:, 2, 2].tolist()
        [-0.5, 1.0]
    """
    here = pixel_grid(*frames.shape[-2:], device=frames.device)
    there = [motion.back(n, here) - here for n in range(len(frames))]
    looking = torch.stack(there).permute(0, 3, 1, 2).to(frames.dtype)
    return torch.cat([frames, looking], dim=1)


def observe_sighted(burst: Burst, hr: Tensor, generator: torch.Generator | None) -> Tensor:
    """Make a burst of each picture `[B, 3, H, W]`, with its exact motion: `[B, N, 5, h, w]`."""
    frames, motions = burst.observe(hr, generator)
    return torch.stack([sighted(*pair) for pair in zip(frames, motions, strict=True)])

"""Random motion of a hand-held camera or of a telescope's guiding, and the air's seeing."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.motion import Motion


def random_motion(
    frames: int,
    size: tuple[int, int],
    *,
    shift: float,
    rotation: float,
    affine: float,
    seeing: float,
    seeing_scale: float,
    generator: torch.Generator | None,
    device: torch.device,
) -> Motion:
    """Draw how frames differ from the first, which is the reference.

    p ↦ c + A R (p − c) + t with c the centre of the frame; then, with seeing, a smooth random flow.

    Args:
        frames: N, the first counted.
        size: height and width of a frame.
        shift: t is drawn from ± this, in pixels, on both axes.
        rotation: R turns by ± this, in degrees.
        affine: the entries of A differ from the identity's by ± this.
        seeing: standard deviation of the flow along an axis, in pixels.
        seeing_scale: over how many pixels the flow changes.
        generator: the source of the draws, on the device.
        device: where the motion shall lie.
    """
    height, width = size

    def uniform(*shape: int) -> Tensor:
        share = torch.rand(frames, *shape, generator=generator, device=device)
        share = share.double() * 2 - 1
        share[0] = 0
        return share

    angle = uniform() * math.radians(rotation)
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    linear = (torch.eye(2, device=device, dtype=torch.float64) + affine * uniform(2, 2)) @ turn
    centre = torch.tensor([width - 1, height - 1], device=device, dtype=torch.float64) / 2
    matrices = torch.eye(3, device=device, dtype=torch.float64).repeat(frames, 1, 1)
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = centre - linear @ centre + shift * uniform(2)
    if not seeing:
        return Motion(matrices=matrices)
    coarse = [math.ceil(side / seeing_scale) + 4 for side in size]
    flow = torch.randn(frames, 2, *coarse, generator=generator, device=device)
    flow[0] = 0
    smooth = F.interpolate(flow, scale_factor=seeing_scale, mode="bicubic")
    top, left = (2 * round(seeing_scale),) * 2  # away from the borders, where it would be flat
    smooth = smooth[..., top : top + height, left : left + width]
    spread = smooth[1:].std() if frames > 1 else smooth.new_ones(())
    return Motion(matrices=matrices, flow=seeing * smooth / spread)

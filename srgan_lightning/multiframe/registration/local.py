"""Local warps, as the air's seeing makes them: a smooth optical flow that matrices leave over."""

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import project
from srgan_lightning.multiframe.prepare import Level, blur

_LEVELS = 3  # the flow is at most some pixels of the coarsest
_STEPS = 8  # at each level, at most
_SMALL = 0.003  # pixels: after such a step another is in vain
_WINDOW = 4.0  # pixels, standard deviation: over so much a warp is taken for a shift
_SMOOTH = 2.5  # pixels: and so much is it smoothed
_STIFF = 0.05  # of the mean gradient's square: what has less structure follows its surroundings
_LONGEST = 1.0  # pixels of a step


def local_warps(reference: list[Level], frames: list[Level], matrices: Tensor) -> Tensor:
    """Find the flow f with w(M p + f(p)) ≈ a r(p) + b by Lucas and Kanade (1981), coarse to fine.

    Around each pixel the shift δ solves Σ (g gᵀ) δ = Σ g (w − r), with g the reference's gradient
    and a Gaussian for the sum; then f ← f − L δ, L being M's linear part, and f is smoothed.

    Args:
        reference: levels of one frame, finest first.
        frames: levels of N frames.
        matrices: what has been found, float64 `[N, 3, 3]`.

    Returns:
        Displacements in pixels on the reference's grid, float32 `[N, 2, H, W]`.
    """
    top = min(_LEVELS, len(reference)) - 1
    flow = torch.zeros(len(matrices), 2, *reference[top].values.shape[-2:], device=matrices.device)
    for number in reversed(range(top + 1)):
        size = reference[number].values.shape[-2:]
        if flow.shape[-2:] != size:
            flow = 2 * _doubled(flow, size)
        zoom = torch.diag(matrices.new_tensor([2.0**-number, 2.0**-number, 1]))
        there = zoom @ matrices @ torch.linalg.inv(zoom)
        flow = _refined(reference[number], frames[number], there, flow)
    return flow


def _doubled(flow: Tensor, size: torch.Size) -> Tensor:
    """Read a coarser level's flow on the next grid, whose pixel 2x is the coarser one's x."""
    height, width = size
    wide = F.pad(flow, (0, 1, 0, 1), mode="replicate")
    fine = F.interpolate(
        wide,
        (2 * wide.shape[-2] - 1, 2 * wide.shape[-1] - 1),
        mode="bilinear",
        align_corners=True,
    )
    return fine[..., :height, :width]


def _refined(reference: Level, frames: Level, matrices: Tensor, flow: Tensor) -> Tensor:
    image = reference.values
    height, width = image.shape[-2:]
    gx = F.pad(image[:, :, 2:] - image[:, :, :-2], (1, 1)) / 2
    gy = F.pad(image[:, 2:] - image[:, :-2], (0, 0, 1, 1)) / 2
    y, x = torch.meshgrid(
        *(torch.arange(side, device=image.device).double() for side in (height, width)),
        indexing="ij",
    )
    begin = project(matrices[:, None, None], torch.stack([x, y], dim=-1))
    linear = matrices[:, :2, :2].to(flow.dtype)
    stiff = _STIFF * (gx**2 + gy**2).mean().clamp(min=1e-12)
    for _ in range(_STEPS):
        places = begin + flow.movedim(1, -1)
        seen = sample_cubic(frames.values[:, None], places)[:, 0]
        weight = _seen(frames.weight, places) * reference.weight
        off = _same_brightness(seen, image.expand_as(seen), weight) - image
        xx, xy, yy = (blur(weight * product, _WINDOW) for product in (gx * gx, gx * gy, gy * gy))
        right_x, right_y = (blur(weight * off * slope, _WINDOW) for slope in (gx, gy))
        xx, yy = xx + stiff, yy + stiff
        determinant = xx * yy - xy * xy
        step = torch.stack([yy * right_x - xy * right_y, xx * right_y - xy * right_x], dim=1)
        step = (step / determinant[:, None]).clamp(-_LONGEST, _LONGEST)
        flow = flow - torch.einsum("nij,njhw->nihw", linear, step)
        flow = blur(flow.flatten(0, 1), _SMOOTH).view_as(flow)
        if step.pow(2).mean().sqrt() < _SMALL:
            break
    return flow


def _seen(weight: Tensor, places: Tensor) -> Tensor:
    """Return a frame's weight at the pixels next to places; 0 outside."""
    height, width = weight.shape[-2:]
    x, y = places.round().long().unbind(-1)
    inside = (x >= 1) & (x <= width - 2) & (y >= 1) & (y <= height - 2)
    index = torch.where(inside, y * width + x, 0).flatten(1)
    return weight.flatten(1).gather(1, index).view_as(weight) * inside


def _same_brightness(seen: Tensor, image: Tensor, weight: Tensor) -> Tensor:
    """Return (w − b) / a, with the a and b that bring a frame nearest to the reference."""
    total = weight.sum((1, 2), keepdim=True).clamp(min=1)

    def mean(values: Tensor) -> Tensor:
        return (weight * values).sum((1, 2), keepdim=True) / total

    mean_w, mean_r = mean(seen), mean(image)
    variance = mean((image - mean_r) ** 2).clamp(min=1e-12)
    gain = (mean((seen - mean_w) * (image - mean_r)) / variance).clamp(min=0.1)
    return (seen - mean_w) / gain + mean_r

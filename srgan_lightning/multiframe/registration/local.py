"""Local warps, as the air's seeing makes them: a smooth optical flow that matrices leave over."""

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.motion import pixel_grid, project
from srgan_lightning.multiframe.prepare import Level, blur

_LEVELS = 3  # the flow is at most some pixels of the coarsest
_STEPS = 8  # at each level, at most
_SMALL = 0.005  # pixels: a step that changes the flow by less is the last
_CELL = 4  # pixels along a side: over so much, and what lies around, a warp is taken for a shift
_WINDOW = 1.0  # cells, standard deviation: what lies around
_SMOOTH = 0.6  # cells: and so much is the flow smoothed after each step
_STIFF = 0.05  # of the mean gradient's square: what has less structure follows its surroundings
_LONGEST = 1.0  # pixels of a step


def local_warps(reference: list[Level], frames: list[Level], matrices: Tensor) -> Tensor:
    """Find the flow f with w(M p + f(p)) ≈ a r(p) + b by Lucas and Kanade (1981), coarse to fine.

    Around each cell of 4x4 pixels the shift δ solves Σ (g gᵀ) δ = Σ g (w − r), with g the
    reference's gradient and a Gaussian for the sum; then f ← f − L δ, L being M's linear part, and
    f is smoothed.

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
    begin = project(matrices[:, None, None], pixel_grid(height, width, device=image.device))
    begin = begin.movedim(-1, 1).to(flow.dtype)
    linear = matrices[:, :2, :2].to(flow.dtype)
    known = _read(frames.weight, begin + flow, mode="nearest", padding="zeros")
    weight = known * reference.weight
    levelled = _Levelled(image, weight)
    stiff = _STIFF * (gx**2 + gy**2).mean().clamp(min=1e-12)
    xx, xy, yy = (_around(weight * product) for product in (gx * gx, gx * gy, gy * gy))
    xx, yy = xx + stiff, yy + stiff
    determinant = xx * yy - xy * xy
    cells = _cells(flow)
    for _ in range(_STEPS):
        places = begin + _pixels(cells, height, width)
        seen = _read(frames.values, places, mode="bicubic", padding="border")
        off = levelled(seen).sub_(image).mul_(weight)
        right_x, right_y = _around(off * gx), _around(off * gy)
        step = torch.stack([yy * right_x - xy * right_y, xx * right_y - xy * right_x], dim=1)
        step = (step / determinant[:, None]).clamp(-_LONGEST, _LONGEST)
        before = cells
        cells = cells - torch.einsum("nij,njhw->nihw", linear, step)
        cells = blur(cells.flatten(0, 1), _SMOOTH).view_as(cells)
        if (cells - before).square().mean((1, 2, 3)).amax().sqrt() < _SMALL:
            break
    return _pixels(cells, height, width)


class _Levelled:
    """Makes frames as bright as the reference: (w − b) / a, with the a and b that bring it near."""

    def __init__(self, image: Tensor, weight: Tensor) -> None:
        self._share = (weight / weight.sum((1, 2), keepdim=True).clamp(min=1)).flatten(1)
        pixels = image.flatten(1).expand_as(self._share)
        self._mean = torch.linalg.vecdot(self._share, pixels)[:, None, None]
        centred = pixels - self._mean[:, 0]
        self._pull = self._share * centred
        self._variance = torch.linalg.vecdot(self._pull, centred).clamp(min=1e-12)

    def __call__(self, seen: Tensor) -> Tensor:
        pixels = seen.flatten(1)
        gain = (torch.linalg.vecdot(self._pull, pixels) / self._variance).clamp(min=0.1)
        mean = torch.linalg.vecdot(self._share, pixels)
        levelled: Tensor = (seen - mean[:, None, None]).div_(gain[:, None, None]).add_(self._mean)
        return levelled


def _cells(pixels: Tensor) -> Tensor:
    return F.avg_pool2d(pixels, _CELL, ceil_mode=True)


def _around(pixels: Tensor) -> Tensor:
    return blur(_cells(pixels), _WINDOW)


def _pixels(cells: Tensor, height: int, width: int) -> Tensor:
    fine = F.interpolate(cells, scale_factor=_CELL, mode="bilinear")
    return fine[..., :height, :width]


def _read(images: Tensor, places: Tensor, *, mode: str, padding: str) -> Tensor:
    """Read images `[N, H, W]` at places `[N, 2, H, W]`."""
    height, width = images.shape[-2:]
    side = places.new_tensor([width, height]).view(2, 1, 1)
    unit = ((2 * places + 1) / side - 1).movedim(1, -1)
    read = F.grid_sample(
        images[:, None], unit, mode=mode, padding_mode=padding, align_corners=False
    )
    return read[:, 0]

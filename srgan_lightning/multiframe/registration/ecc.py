"""Matrices between frames by the enhanced correlation coefficient, from coarse to fine."""

import dataclasses
import math
from typing import Literal

import torch
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import project
from srgan_lightning.multiframe.prepare import Level

Model = Literal["translation", "similarity", "affine", "homography"]
MODELS: tuple[Model, ...] = ("translation", "similarity", "affine", "homography")

_Entries = list[dict[tuple[int, int], float]]
_SHIFT: _Entries = [{(0, 2): 1}, {(1, 2): 1}]
_AFFINE: _Entries = [*_SHIFT, {(0, 0): 1}, {(0, 1): 1}, {(1, 0): 1}, {(1, 1): 1}]
_ENTRIES: dict[Model, _Entries] = {
    "translation": _SHIFT,
    "similarity": [*_SHIFT, {(0, 0): 1, (1, 1): 1}, {(0, 1): -1, (1, 0): 1}],
    "affine": _AFFINE,
    "homography": [*_AFFINE, {(2, 0): 1}, {(2, 1): 1}],
}
_STEPS = 30  # at each level, at most
_SMALL = 5e-4  # pixels: a step that moves no corner further is the last
_COARSE = 0.01  # pixels of the coarser levels: they but lead to the finest
_POINTS = 2**16  # of the finest levels say enough
_HUBER = 2.0  # standard deviations: what is further off pulls no harder
_LOST = 0.02  # of the points: with fewer, a frame does not overlap


def align(reference: list[Level], frames: list[Level], matrices: Tensor, *, model: Model) -> Tensor:
    """Refine where the reference's pixels lie in each frame, from the coarsest level on.

    The correlation of the reference r with the frame w, read where M puts r's pixels, is made as
    large as it can be (Evangelidis & Psarakis 2008), inverse-compositionally (Baker & Matthews
    2004): the small warp exp(Σ dₖ Eₖ) acts on r, whose gradient G need be formed but once. To first
    order the largest correlation is where the regression

        w ≈ a r + b + Σ (a dₖ) Gₖ

    leaves the smallest residual, so that a change of brightness and contrast costs nothing; then
    M ← M exp(−Σ dₖ Eₖ). Pixels without meaning, in r or in w, count for nothing.

    Args:
        reference: levels of one frame, finest first.
        frames: levels of N frames, of the same sizes.
        matrices: where to begin, float64 `[N, 3, 3]`.
        model: which warps are looked for.

    Returns:
        float64 `[N, 3, 3]`.
    """
    for number in reversed(range(len(reference))):
        zoom = torch.diag(matrices.new_tensor([2.0**-number, 2.0**-number, 1]))
        there = zoom @ matrices @ torch.linalg.inv(zoom)
        small = _COARSE if number else _SMALL
        there = _align_level(reference[number], frames[number], there, model=model, small=small)
        matrices = torch.linalg.inv(zoom) @ there @ zoom
    return matrices / matrices[:, 2:, 2:]


def _align_level(
    reference: Level, frames: Level, matrices: Tensor, *, model: Model, small: float
) -> Tensor:
    template = Template(reference, model=model)
    matrices = matrices.clone()
    moving = torch.arange(len(matrices), device=matrices.device)
    for _ in range(_STEPS):
        before = matrices[moving]
        some = Level(frames.values[moving], frames.weight[moving])
        seen = template.compare(some, before)
        after = before @ template.warp(seen.steps)
        good = seen.usable & after.isfinite().all((1, 2))
        matrices[moving] = torch.where(good[:, None, None], after, before)
        corners = (project(m[:, None], template.corners) for m in (before, after))
        far = torch.sub(*corners).norm(dim=-1).amax(1)
        moving = moving[good & (far > small)]
        if not len(moving):
            break
    return matrices


def generators(model: Model, size: tuple[int, int], *, device: torch.device) -> Tensor:
    """Return the small warps Eₖ of a model in pixels, float64 `[K, 3, 3]`.

    Each moves what is half a side from the centre by a pixel.

    Args:
        model: which warps.
        size: (height, width) of the frames.
        device: where the result lies.
    """
    height, width = size
    to_unit = torch.eye(3, dtype=torch.float64)
    to_unit[:2, 2] = -to_unit.new_tensor([(width - 1) / 2, (height - 1) / 2])
    to_unit[:2] /= max(size) / 2
    units = torch.zeros(len(_ENTRIES[model]), 3, 3, dtype=torch.float64)
    for unit, entries in zip(units, _ENTRIES[model], strict=True):
        for (row, column), value in entries.items():
            unit[row, column] = value / (max(size) / 2)
    basis: Tensor = torch.linalg.inv(to_unit) @ units @ to_unit
    return basis.to(device)


def velocities(basis: Tensor, points: Tensor) -> Tensor:
    """Return how points `[P, 2]` move with each small warp `[K, 3, 3]`, `[K, P, 2]`."""
    place = torch.cat([points, torch.ones_like(points[:, :1])], dim=1)
    velocity = torch.einsum("kij,pj->kpi", basis, place)
    return velocity[..., :2] - velocity[..., 2:] * points


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a regression of frames on the reference says.

    Attributes:
        steps: dₖ for each frame, `[N, K]`.
        correlation: of the frame with what the regression makes of the reference, `[N]`; below 0
            where light and dark are exchanged.
        residual: standard deviation of what the regression leaves, over a, `[N]`.
        overlap: the share of the reference's pixels that a frame shows, `[N]`.
        usable: whether that is enough to go on, bool `[N]`.
    """

    steps: Tensor
    correlation: Tensor
    residual: Tensor
    overlap: Tensor
    usable: Tensor


class Template:
    """The reference at one level, with its gradient along each parameter of a model."""

    def __init__(self, level: Level, *, model: Model) -> None:
        image, weight = level.values[0], level.weight[0]
        height, width = image.shape
        self._device, self._size = image.device, (height, width)
        stride = max(1, math.ceil(math.sqrt(image.numel() / _POINTS)))
        v, u = torch.meshgrid(
            torch.arange(stride, height - 1, stride, device=image.device),
            torch.arange(stride, width - 1, stride, device=image.device),
            indexing="ij",
        )
        v, u = (axis.flatten() for axis in (v, u))
        known = weight[v, u] > 0
        v, u = v[known], u[known]
        self.points = torch.stack([u, v], dim=-1).double()
        across = (image[v, u + 1] - image[v, u - 1]).double() / 2
        down = (image[v + 1, u] - image[v - 1, u]).double() / 2
        self._basis = generators(model, (height, width), device=image.device)
        ones = torch.ones_like(self.points[:, :1])
        velocity = velocities(self._basis, self.points)
        slopes = velocity[..., 0] * across + velocity[..., 1] * down
        columns = torch.cat([ones.T, image[v, u].double()[None], slopes])
        self._columns = columns.to(image.dtype)
        self.corners = self.points.new_tensor(
            [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]
        )

    def compare(self, frames: Level, matrices: Tensor, flow: Tensor | None = None) -> Comparison:
        """Regress each frame, read where it shows the reference's pixels, on the columns."""
        places = project(matrices[:, None], self.points)
        if flow is not None:
            x, y = self.points.long().unbind(-1)
            places = places + flow[:, :, y, x].movedim(1, -1)
        values, weight = self._read(frames, places)
        columns = self._columns
        first = _regress(columns, values, weight)
        off = values - first.to(values.dtype) @ columns
        count = weight.sum(1).clamp(min=1)
        left = (weight * off**2).sum(1) / count
        mean = (weight * values).sum(1) / count
        variance = (weight * (values - mean[:, None]) ** 2).sum(1) / count
        share = (1 - left / variance.clamp(min=1e-12)).clamp(0, 1)
        gain = first[:, 1]
        off = off.abs()
        spread = torch.where(weight > 0, off, torch.nan).nanmedian(1, keepdim=True).values
        bound = _HUBER * 1.4826 * spread.nan_to_num() + 1e-12
        robust = _regress(columns, values, weight * (bound / off.clamp(min=1e-12)).clamp(max=1))
        overlap = weight.mean(1).double()
        return Comparison(
            steps=robust[:, 2:] / robust[:, 1:2],
            correlation=share.double().sqrt() * gain.sign(),
            residual=left.double().sqrt() / gain.abs().clamp(min=1e-9),
            overlap=overlap,
            usable=(overlap > _LOST) & (gain > 0) & (robust[:, 1] > 0),
        )

    def _read(self, frames: Level, places: Tensor) -> tuple[Tensor, Tensor]:
        height, width = self._size
        x, y = places.unbind(-1)
        inside = (x >= 1) & (x <= width - 2) & (y >= 1) & (y <= height - 2)
        places = torch.where(inside[..., None], places, 0)
        values = sample_cubic(frames.values[:, None], places)[:, 0]
        index = (places[..., 1].round() * width + places[..., 0].round()).long()
        known = frames.weight.flatten(1).gather(1, index)
        return values, known * inside

    def warp(self, steps: Tensor) -> Tensor:
        """Return exp(−Σ dₖ Eₖ), `[N, 3, 3]`."""
        warps: Tensor = torch.linalg.matrix_exp(-torch.einsum("nk,kij->nij", steps, self._basis))
        return warps


def _regress(columns: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    """Solve for the coefficients `[N, K + 2]` of columns `[K + 2, P]` nearest to `[N, P]`."""
    weighted = columns * weight[:, None]
    normal = (weighted @ columns.T).double()
    right = (weighted @ values[..., None])[..., 0].double()
    tiny = 1e-9 * normal.diagonal(dim1=1, dim2=2) + 1e-30
    solved: Tensor = torch.linalg.solve(normal + torch.diag_embed(tiny), right)
    return solved

"""Matrices between frames by the enhanced correlation coefficient, from coarse to fine."""

import math
from typing import Literal

import torch
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import project
from srgan_lightning.multiframe.registration.prepare import Level

Model = Literal["translation", "similarity", "affine", "homography"]
MODELS: tuple[Model, ...] = ("translation", "similarity", "affine", "homography")

_ENTRIES: dict[Model, list[dict[tuple[int, int], float]]] = {
    "translation": [{(0, 2): 1}, {(1, 2): 1}],
    "similarity": [{(0, 2): 1}, {(1, 2): 1}, {(0, 0): 1, (1, 1): 1}, {(0, 1): -1, (1, 0): 1}],
    "affine": [{(row, column): 1} for row in (0, 1) for column in (0, 1, 2)],
    "homography": [
        *({(row, column): 1} for row in (0, 1) for column in (0, 1, 2)),
        {(2, 0): 1},
        {(2, 1): 1},
    ],
}
_STEPS = 30  # at each level, at most
_SMALL = 1e-4  # pixels: a step that moves no corner further is the last
_POINTS = 2**18  # of the finest levels say enough
_HUBER = 2.0  # standard deviations: what is further off pulls no harder
_LOST = 0.02  # of the points: with fewer, a frame does not overlap


def align(
    reference: list[Level], frames: list[Level], matrices: Tensor, *, model: Model
) -> Tensor:
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
        there = _align_level(reference[number], frames[number], there, model=model)
        matrices = torch.linalg.inv(zoom) @ there @ zoom
    return matrices / matrices[:, 2:, 2:]


def _align_level(reference: Level, frames: Level, matrices: Tensor, *, model: Model) -> Tensor:
    template = Template(reference, model=model)
    moving = torch.ones(len(matrices), dtype=torch.bool, device=matrices.device)
    for _ in range(_STEPS):
        seen = template.compare(frames, matrices)
        step = template.warp(seen.steps)
        moved = project(matrices[:, None], template.corners) - project(
            (matrices @ step)[:, None], template.corners
        )
        good = seen.usable & moving & step.isfinite().all((1, 2))
        matrices = torch.where(good[:, None, None], matrices @ step, matrices)
        moving = good & (moved.norm(dim=-1).amax(1) > _SMALL)
        if not moving.any():
            break
    return matrices


class Comparison:
    """What a regression of frames on the reference says.

    Attributes:
        steps: dₖ for each frame, `[N, K]`.
        correlation: of the reference with each frame, `[N]`.
        residual: standard deviation of (w − b) / a − r, `[N]`.
        gain: a, `[N]`.
        overlap: the share of the reference's pixels that a frame shows, `[N]`.
        usable: whether that is enough to go on, bool `[N]`.
    """

    def __init__(self, normal: Tensor, right: Tensor, square: Tensor, *, points: int) -> None:
        count = normal[:, 0, 0]
        self.overlap = count / points
        tiny = 1e-9 * normal.diagonal(dim1=1, dim2=2) + 1e-30
        self.solved = torch.linalg.solve(normal + torch.diag_embed(tiny), right)
        self.gain = self.solved[:, 1]
        safe = torch.where(self.gain.abs() > 1e-9, self.gain, torch.nan)
        self.steps = self.solved[:, 2:] / safe[:, None]
        n = count.clamp(min=1)
        mean_r, mean_w = normal[:, 0, 1] / n, right[:, 0] / n
        var_r = normal[:, 1, 1] / n - mean_r**2
        var_w = square / n - mean_w**2
        covariance = right[:, 1] / n - mean_r * mean_w
        product = (var_r * var_w).clamp(min=1e-30)
        self.correlation = covariance / product.sqrt()
        self.contrast = var_r.clamp(min=0).sqrt()
        slope = covariance / var_r.clamp(min=1e-30)
        left = (var_w - slope * covariance).clamp(min=0)
        self.residual = left.sqrt() / slope.abs().clamp(min=1e-9)
        self.usable = (self.overlap > _LOST) & (self.gain > 0)


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
        self._centre = self.points.new_tensor([(width - 1) / 2, (height - 1) / 2])
        self._half = max(height, width) / 2
        self._basis = torch.stack([self._generator(entries) for entries in _ENTRIES[model]])
        ones = torch.ones_like(self.points[:, :1])
        place = torch.cat([self.points, ones], dim=1)
        velocity = torch.einsum("kij,pj->kpi", self._basis, place)
        velocity = velocity[..., :2] - velocity[..., 2:] * self.points
        slopes = velocity[..., 0] * across + velocity[..., 1] * down
        columns = torch.cat([ones.T, image[v, u].double()[None], slopes])
        self._columns = columns.to(image.dtype)
        self.corners = self.points.new_tensor(
            [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]
        )

    def _generator(self, entries: dict[tuple[int, int], float]) -> Tensor:
        """Return a generator in pixels; 1 moves what is half a side from the centre by a pixel."""
        unit = torch.zeros(3, 3, dtype=torch.float64, device=self._device)
        for (row, column), value in entries.items():
            unit[row, column] = value
        to_unit = torch.eye(3, dtype=torch.float64, device=self._device)
        to_unit[:2, 2] = -self._centre
        to_unit[:2] /= self._half
        return torch.linalg.inv(to_unit) @ (unit / self._half) @ to_unit

    def compare(self, frames: Level, matrices: Tensor) -> Comparison:
        """Regress each frame, read where its matrix puts the reference's pixels, on the columns."""
        places = project(matrices[:, None], self.points)
        values, weight = self._read(frames, places)
        first = self._regress(values, weight)
        off = (values - (first.solved.to(values.dtype) @ self._columns)).abs()
        spread = torch.where(weight > 0, off, torch.nan).nanmedian(1, keepdim=True).values
        bound = _HUBER * 1.4826 * spread.nan_to_num() + 1e-12
        robust = self._regress(values, weight * (bound / off.clamp(min=1e-12)).clamp(max=1))
        first.steps = robust.steps
        return first

    def _regress(self, values: Tensor, weight: Tensor) -> Comparison:
        weighted = self._columns * weight[:, None]
        normal = (weighted @ self._columns.T).double()
        right = (weighted @ values[..., None])[..., 0].double()
        square = (weight * values**2).sum(1).double()
        return Comparison(normal, right, square, points=len(self.points))

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
        return torch.linalg.matrix_exp(-torch.einsum("nk,kij->nij", steps, self._basis))

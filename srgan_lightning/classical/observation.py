"""The observation model y = A x: how classical methods believe that LR came of HR."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor
from torch.nn.functional import interpolate

from srgan_lightning.degradations.blur import gaussian_radius
from srgan_lightning.degradations.resize import resize_weights
from srgan_lightning.errors import UserError

Observed = Literal["bicubic", "blur_bicubic"]

SIGMA = 1.6  # of `blur_bicubic`, as its own default


@dataclass(frozen=True)
class Observation:
    """A degradation without its rounding and clamping: the linear map x → R x Cᵀ.

    Attributes:
        rows: R, `[h, H]`.
        columns: C, `[w, W]`.
    """

    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, kind: Observed, lr: Tensor, *, scale: int) -> Self:
        """Build the model that a picture `lr`, `[..., h, w]`, would be observed by.

        Raises:
            UserError: for `blur_bicubic` and a picture too small for its blur.
        """
        build: Callable[[int, int, torch.device, torch.dtype], Tensor]
        build = _bicubic if kind == "bicubic" else _blur_bicubic
        height, width = lr.shape[-2:]
        return cls(
            build(height, scale, lr.device, lr.dtype), build(width, scale, lr.device, lr.dtype)
        )

    def __call__(self, hr: Tensor) -> Tensor:
        """Reduce: A x, `[..., H, W]` to `[..., h, w]`."""
        return self.rows @ hr @ self.columns.T

    def adjoint(self, lr: Tensor) -> Tensor:
        """Return Aᵀ y, `[..., h, w]` to `[..., H, W]`."""
        return self.rows.T @ lr @ self.columns

    def diagonalised(self) -> tuple[Self, Self, Tensor]:
        """Return Q, B and S with A = Q B, where Q is orthogonal and B Bᵀ diagonal with entries S.

        Q maps `[..., h, w]` to the same shape, B as A does; S is `[h, w]`.
        """
        rows, columns = (
            torch.linalg.svd(m, full_matrices=False) for m in (self.rows, self.columns)
        )
        orthogonal = type(self)(rows.U, columns.U)
        diagonal = type(self)(rows.S[:, None] * rows.Vh, columns.S[:, None] * columns.Vh)
        return orthogonal, diagonal, rows.S[:, None] ** 2 * columns.S**2

    def proximity(self, lr: Tensor, weight: float) -> Callable[[Tensor], Tensor]:
        """Return the map v ↦ argmin_x ‖A x − y‖² + weight ‖x − v‖², with y = `lr`."""
        orthogonal, diagonal, squares = self.diagonalised()
        y = orthogonal.adjoint(lr)
        return lambda v: v + diagonal.adjoint((y - diagonal(v)) / (weight + squares))


def _bicubic(side: int, scale: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    return resize_weights(side * scale, side, 1 / scale, "cubic", True, device, dtype)


@functools.lru_cache(maxsize=16)
def _blur_bicubic(side: int, scale: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    radius = gaussian_radius(SIGMA)
    if side * scale <= radius:
        raise UserError(
            f"a picture of {side} pixels is too small for the observation model blur_bicubic; "
            "take observation=bicubic"
        )
    with torch.inference_mode(False):
        sigma = torch.tensor([[SIGMA]], dtype=dtype)
        kernel = get_gaussian_kernel1d(2 * radius + 1, sigma, dtype=dtype)
        unit = torch.eye(side * scale, dtype=dtype)[None, None]  # a picture a column
        blurred = filter2d_separable(unit, torch.ones(1, 1, dtype=dtype), kernel, "reflect")
        return interpolate(blurred, (side, side * scale), mode="bicubic")[0, 0].to(device)

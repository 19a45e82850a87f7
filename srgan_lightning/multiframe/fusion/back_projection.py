"""Iterative back-projection (Irani and Peleg 1991)."""

from collections.abc import Callable

import torch
from torch import Tensor

from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.observation import Observation, spread

ROUNDS = 40  # more would follow the noise


def back_project(
    observation: Observation,
    seen: Tensor,
    *,
    scale: int,
    on_round: Callable[[], None] = lambda: None,
) -> Fused:
    """Correct a picture by what its frames differ by from those seen, again and again.

    x ← x + Aᵀ(y − A x) / Aᵀ1, which converges as Landweber's iteration does: the rows of A sum to
    1, so no eigenvalue of the step lies above 1.

    Args:
        observation: A.
        seen: y, the pixels inside, `[M, C]`; NaN counts for nothing.
        scale: HR pixels along the side of a frame's pixel.
        on_round: called after each of `ROUNDS`.
    """
    known = seen.isfinite()
    seen = torch.where(known, seen, 0)
    picture = spread(observation, seen, known)
    for _ in range(ROUNDS):
        picture = picture + spread(observation, seen - observation(picture), known)
        on_round()
    backing = observation.adjoint(known.to(seen.dtype))
    left = (observation(picture) - seen)[known]
    noise = left.square().mean().sqrt() if len(left) else left.new_tensor(torch.nan)
    weight = backing * scale**2
    return Fused(picture, weight.mean(0), noise / weight.clamp(min=1e-3).sqrt())

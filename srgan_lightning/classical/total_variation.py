"""Total variation: of all pictures that the LR may come from, the one with the least variation."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad
from typing_extensions import override

from srgan_lightning.classical.observation import Observation, Observed
from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator

STEP_RATIO = 10.0  # τ/σ times λ: in trials E came near its minimum within 200 iterations


@GENERATORS.register("total_variation")
class TotalVariation(Generator):
    """Up-sampling by total variation, after Aly and Dubois 2005.

    ("Image Up-Sampling Using Total-Variation Regularization With a New Observation Model".) With
    the observation model A, SR is the minimum of the convex

        E(x) = ½ ‖A x − y‖² + λ TV(x),    TV(x) = Σ_pixels √(Σ_channels |∇x|²)

    with y the LR and ∇ the forward differences (0 across the border). Edges of the channels are
    drawn together by the sum under the root. The paper descends along E's gradient; here the
    primal-dual algorithm 1 of Chambolle and Pock 2011 starts at bicubic. A is separable, so that
    (I + τ AᵀA)⁻¹ is exact by two small singular value decompositions, and ‖∇‖² < 8 bounds the
    steps: τ σ = 1/8.

    There is nothing to train, and no gradient reaches the LR. Time and memory grow with the whole
    picture, time with the third power of its side.

    Args:
        scale: the factor between the sides of LR and SR.
        strength: λ.
        observation: A, as the degradation of that name, which must be the one that made the LR.
        iterations: at most so many.
        tolerance: stop where an iteration changes SR by less (root mean square); looked at every
            tenth iteration.

    Raises:
        UserError: for a scale or a number of iterations below 1, a strength that is not above 0,
            or a tolerance below 0.

    Example:
        >>> import torch
        >>> TotalVariation()(torch.full((1, 3, 5, 7), 0.5)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        strength: float = 2e-4,
        observation: Observed = "bicubic",
        iterations: int = 200,
        tolerance: float = 2e-5,
    ) -> None:
        super().__init__()
        for option, value in {"scale": scale, "iterations": iterations}.items():
            if value < 1:
                raise UserError(f"generator.{option}: must be 1 or more (got {value})")
        if not strength > 0:
            raise UserError(f"generator.strength: must be above 0 (got {strength})")
        if not tolerance >= 0:
            raise UserError(f"generator.tolerance: must be 0 or more (got {tolerance})")
        self.scale = scale
        self.strength = strength
        self.observation = observation
        self.iterations = iterations
        self.tolerance = tolerance

    @property
    @override
    def halo(self) -> None:
        return None

    @torch.no_grad()
    @override
    def forward(self, lr: Tensor) -> Tensor:
        with torch.autocast(lr.device.type, enabled=False):
            y = lr.to(torch.promote_types(lr.dtype, torch.float32)).contiguous()
            return torch.stack([self._solve(picture) for picture in y]).to(lr.dtype)

    def objective(self, sr: Tensor, lr: Tensor) -> Tensor:
        """Return E of a picture `[3, scale·h, scale·w]`, given its LR `[3, h, w]`."""
        residual = Observation.of(self.observation, lr, scale=self.scale)(sr) - lr
        variation = gradient(sr).square().sum((0, 1)).sqrt().sum()
        return residual.square().sum() / 2 + self.strength * variation

    def _solve(self, y: Tensor) -> Tensor:
        tau = math.sqrt(STEP_RATIO / self.strength / 8)
        sigma = 1 / (8 * tau)
        proximity = Observation.of(self.observation, y, scale=self.scale).proximity(y, 1 / tau)
        x = ahead = imresize(y, scale=self.scale)
        dual = torch.zeros(2, *x.shape, dtype=x.dtype, device=x.device)
        for iteration in range(1, self.iterations + 1):
            dual = dual + sigma * gradient(ahead)
            length = dual.square().sum((0, 1)).sqrt()
            dual = dual / (length / self.strength).clamp(min=1)
            previous, x = x, proximity(x - tau * gradient_adjoint(dual))
            ahead = 2 * x - previous
            if iteration % 10 == 0 and (x - previous).square().mean().sqrt() < self.tolerance:
                break
        return x


def gradient(x: Tensor) -> Tensor:
    """Return ∇x: forward differences down and to the right, `[..., H, W]` to `[2, ..., H, W]`."""
    down = pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
    right = pad(x[..., :, 1:] - x[..., :, :-1], (0, 1))
    return torch.stack((down, right))


def gradient_adjoint(p: Tensor) -> Tensor:
    """Return ∇ᵀp, the negative divergence: `[2, ..., H, W]` to `[..., H, W]`."""
    down, right = p[0, ..., :-1, :], p[1, ..., :, :-1]
    rows = pad(down, (0, 0, 1, 0)) - pad(down, (0, 0, 0, 1))
    return rows + pad(right, (1, 0)) - pad(right, (0, 1))

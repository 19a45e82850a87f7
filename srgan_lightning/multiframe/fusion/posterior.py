"""The most probable picture: robust to wrong pixels, smooth but for edges (Farsiu et al. 2004)."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.observation import Observation, spread

ROUNDS = 5  # in each the weights are found anew
_STEPS = 20  # of conjugate gradients in a round
_HUBER = 1.345  # standard deviations: the usual 95 % efficiency for Gaussian noise
_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1))
_DECAY = 0.7  # α of the bilateral total variation, for each pixel of distance
_SHARP = 0.01  # differences well below are smoothed as by a square
_BETA = 4.25  # found by trial on photographs and telescope images
_LEAST_NOISE = 1e-5


def most_probable(
    observation: Observation,
    seen: Tensor,
    *,
    scale: int,
    on_round: Callable[[], None] = lambda: None,
) -> Fused:
    """Minimise Σ ρ((A x − y) / σ) + β Σ_d α^|d| |x − x shifted by d|.

    ρ is Huber's, and |·| is √(·² + ε²); σ is measured from what is left over. Both sums become
    weighted squares (iteratively reweighted least squares), and each round is solved by conjugate
    gradients, which need no step size.

    Args:
        observation: A.
        seen: y, the pixels inside, `[M, C]`; NaN counts for nothing.
        scale: HR pixels along the side of a frame's pixel.
        on_round: called after each of the rounds, `ROUNDS` times.
    """
    known = seen.isfinite()
    seen = torch.where(known, seen, 0)
    picture = spread(observation, seen, known)
    for _ in range(ROUNDS):
        residual = (observation(picture) - seen).abs()
        noise = _noise(residual, known)
        trust = known * (_HUBER * noise / residual.clamp(min=1e-12)).clamp(max=1)
        pull = trust / noise**2
        prior = _curvature(picture)
        diagonal = observation.adjoint(pull) / scale**2 + _diagonal(prior, picture)

        def curved(x: Tensor, pull: Tensor = pull, prior: list[Tensor] = prior) -> Tensor:
            return observation.adjoint(pull * observation(x)) + _smoothed(x, prior)

        target = observation.adjoint(pull * seen)
        picture = _conjugate_gradients(curved, target, picture, diagonal)
        on_round()
    weight = observation.adjoint(trust).mean(0) * scale**2
    return Fused(picture, weight, diagonal.clamp(min=1e-12).rsqrt())


def _noise(residual: Tensor, known: Tensor) -> float:
    left = residual[known]
    if not len(left):
        return 1.0
    return max(1.4826 * float(left.median()), _LEAST_NOISE)


def _differences(picture: Tensor) -> Iterator[tuple[Tensor, float]]:
    for down, across in _OFFSETS:
        one, other = _pair(picture, down, across)
        yield other - one, _DECAY ** (down + abs(across) - 1)


def _pair(picture: Tensor, down: int, across: int) -> tuple[Tensor, Tensor]:
    """Return views of a picture that lie (down, across) apart."""
    height, width = picture.shape[-2:]
    left, right = max(0, -across), max(0, across)
    one = picture[..., : height - down, left : width - right]
    other = picture[..., down:, right : width - left]
    return one, other


def _curvature(picture: Tensor) -> list[Tensor]:
    return [_BETA * share * (step**2 + _SHARP**2).rsqrt() for step, share in _differences(picture)]


def _smoothed(x: Tensor, prior: list[Tensor]) -> Tensor:
    result = torch.zeros_like(x)
    for (down, across), weight in zip(_OFFSETS, prior, strict=True):
        one, other = _pair(x, down, across)
        step = (other - one).mul_(weight)
        first, second = _pair(result, down, across)
        first -= step
        second += step
    return result


def _diagonal(prior: list[Tensor], like: Tensor) -> Tensor:
    result = torch.zeros_like(like)
    for (down, across), weight in zip(_OFFSETS, prior, strict=True):
        for view in _pair(result, down, across):
            view += weight
    return result


def _conjugate_gradients(
    curved: Callable[[Tensor], Tensor], target: Tensor, x: Tensor, diagonal: Tensor
) -> Tensor:
    left = target - curved(x)
    ready = left / diagonal
    direction = ready
    size = (left * ready).sum()
    begin = size
    for _ in range(_STEPS):
        if size <= 1e-8 * begin:
            break
        bent = curved(direction)
        step = size / (direction * bent).sum().clamp(min=1e-30)
        x = x + step * direction
        left = left - step * bent
        ready = left / diagonal
        before, size = size, (left * ready).sum()
        direction = ready + (size / before) * direction
    return x

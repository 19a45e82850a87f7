"""The most probable picture: robust to wrong pixels, smooth but for edges (Farsiu et al. 2004)."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.observation import Observation, spread
from srgan_lightning.multiframe.prepare import blur

ROUNDS = 11  # in each the weights are found anew
_STEPS = 3  # of conjugate gradients in a round
_HUBER = 1.345  # standard deviations: the usual 95 % efficiency for Gaussian noise
_CLIPPED = 0.7102  # the mean of min(|r|, _HUBER)² for standard Gaussian r
_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1))
_DECAY = 0.7  # α of the bilateral total variation, for each pixel of distance
_SHARP = 0.02  # differences well below are smoothed as by a square
_SHARE = 0.4  # of the likeliest strength: the four directions tell of one another
_AROUND = 1.7  # pixels of a frame, within which a picture is equally lively
_LEAST_LIVELY = 1e-3
_FLAT = 1.5  # of the prior's typical weight holds most pixels
_FREE = 10.0  # times the typical hold, below which places are alike to the preconditioner
_LEAST_NOISE = 1e-4
_ALIKE = 2.0  # times rounding's: where a picture is smooth, neighbours are rounded alike
_DOUBT = 0.3  # of what the first picture leaves is noise, the rest its blur
_OPPONENT = (
    (3**-0.5, 3**-0.5, 3**-0.5),
    (2**-0.5, 0.0, -(2**-0.5)),
    (6**-0.5, -2 * 6**-0.5, 6**-0.5),
)


def most_probable(
    observation: Observation,
    seen: Tensor,
    *,
    scale: int,
    rounding: float = 0.0,
    rounds: int = ROUNDS,
    on_round: Callable[[], None] = lambda: None,
) -> Fused:
    """Minimise Σ ρ((A x − y) / σ) + Σ β Σ_d α^|d| |x − x shifted by d|.

    ρ is Huber's, and |·| is √(·² + ε²). Both sums become weighted squares (iteratively reweighted
    least squares), and each round is solved by conjugate gradients, which need no step size and
    keep their direction from round to round: three steps in a round are then enough.
    Nothing is set by hand: σ is measured from what is left over (Huber's proposal 2), and β from
    the picture itself. The prior's likeliest strength is one over the mean of Σ_d α^|d| |…|; the
    mean is taken nearby, so that texture is left alone where sky is smoothed.
    Colours are brightness and two differences while all this is done, as sharp colour is rare.

    Args:
        observation: A.
        seen: y, the pixels inside, `[M, C]`; a pixel that is NaN in one channel counts for nothing.
        scale: HR pixels along the side of a frame's pixel.
        rounding: standard deviation of what rounding to levels took off the frames, of which σ is
            taken to be twice at least.
        rounds: how often the weights are found anew.
        on_round: called after each of the rounds.
    """
    turn = seen.new_tensor(_OPPONENT) if seen.shape[1] == 3 else seen.new_ones(1, 1)
    known = seen.isfinite().all(1, keepdim=True).expand_as(seen)
    seen = torch.where(known, seen, 0) @ turn.T
    picture = spread(observation, seen, known)
    noise = seen.new_full((seen.shape[1],), torch.inf)  # it may but fall: else smooth begets smooth
    least = max(_LEAST_NOISE, _ALIKE * rounding)
    doubt = _DOUBT
    direction = bent = torch.zeros_like(picture)
    for _ in range(rounds):
        left = seen - observation(picture)
        residual = left.abs()
        noise = _noise(residual, known).clamp(min=least).minimum(noise)
        trust = known * (_HUBER * noise / residual.clamp(min=1e-12)).clamp(max=1)
        pull = trust / (noise * doubt) ** 2
        doubt = 1.0
        prior = _curvature(picture, scale)
        held = _diagonal(prior, picture)
        evened = _evened(observation, pull, prior, held)
        target = observation.adjoint(pull * left) - _smoothed(picture, prior, held)
        for _ in range(_STEPS):
            ready = evened(target)
            back = _product(ready, bent) / _product(direction, bent).clamp(min=1e-30)
            direction = ready - back.clamp(max=0) * direction
            bent = observation.adjoint(pull * observation(direction))
            bent += _smoothed(direction, prior, held)
            step = _product(direction, target) / _product(direction, bent).clamp(min=1e-30)
            picture = picture + step * direction
            target = target - step * bent
        on_round()
    weight = observation.adjoint(trust).mean(0) * scale**2
    diagonal = observation.adjoint(pull) / scale**2 + held
    variance = 1 / diagonal.clamp(min=1e-12)
    return Fused(_turned(picture, turn), weight, _turned(variance, turn**2).sqrt())


def _turned(picture: Tensor, turn: Tensor) -> Tensor:
    turned: Tensor = torch.einsum("dc,dhw->chw", turn, picture)
    return turned


def _noise(residual: Tensor, known: Tensor) -> Tensor:
    """Return σ of each channel, `[C]`, for which the mean of min(|r|, 1.345 σ)² is its share."""
    share = known / known.sum(0).clamp(min=1)
    noise = (residual * share).sum(0)
    for _ in range(8):
        clipped = residual.minimum(_HUBER * noise).square()
        noise = ((clipped * share).sum(0) / _CLIPPED).sqrt()
    return noise


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


def _curvature(picture: Tensor, scale: int) -> list[Tensor]:
    steps = list(_differences(picture))
    lively = torch.zeros_like(picture)
    for (down, across), (step, share) in zip(_OFFSETS, steps, strict=True):
        _pair(lively, down, across)[0].add_(step.abs(), alpha=share)
    lively = blur(F.avg_pool2d(lively, scale), _AROUND)
    lively = F.interpolate(lively[None], scale_factor=scale, mode="bilinear")[0]
    strength = _SHARE / lively.clamp(min=_LEAST_LIVELY)
    return [
        _pair(strength, down, across)[0] * share * (step**2 + _SHARP**2).rsqrt()
        for (down, across), (step, share) in zip(_OFFSETS, steps, strict=True)
    ]


def _smoothed(x: Tensor, prior: list[Tensor], diagonal: Tensor) -> Tensor:
    result = diagonal * x
    for (down, across), weight in zip(_OFFSETS, prior, strict=True):
        one, other = _pair(x, down, across)
        first, second = _pair(result, down, across)
        first.addcmul_(other, weight, value=-1)
        second.addcmul_(one, weight, value=-1)
    return result


def _diagonal(prior: list[Tensor], like: Tensor) -> Tensor:
    result = torch.zeros_like(like)
    for (down, across), weight in zip(_OFFSETS, prior, strict=True):
        for view in _pair(result, down, across):
            view += weight
    return result


def _evened(
    observation: Observation, pull: Tensor, prior: list[Tensor], held: Tensor
) -> Callable[[Tensor], Tensor]:
    """Return about the inverse of the curvature, by which conjugate gradients are preconditioned.

    Blur tells frequencies apart, hardly places: each is divided by how hard it is held, as if
    weights were everywhere the same. Where the prior holds much harder than that, steps are
    shorter. What is typical is a geometric mean, as where no frame looks all is flat and held.
    """
    height, width = observation.size
    down = torch.fft.fftfreq(height, device=pull.device)[:, None]
    across = torch.fft.rfftfreq(width, device=pull.device)
    kernel = observation.kernel
    passed = torch.fft.fft(kernel, n=height).abs()[:, None] * torch.fft.rfft(kernel, n=width).abs()
    seen = (pull.sum(0) / (height * width)).clamp(min=1e-6)[:, None, None]
    stiffness: Tensor = seen * (passed**2 + 1e-3)
    for (dy, dx), weight in zip(_OFFSETS, prior, strict=True):
        wave = 2 - 2 * torch.cos(2 * torch.pi * (dy * down + dx * across))
        stiffness = stiffness + _FLAT * _typical(weight) * wave
    loose = (_FREE + held / _typical(held)).rsqrt()

    def evened(x: Tensor) -> Tensor:
        flat: Tensor = torch.fft.irfft2(torch.fft.rfft2(x * loose) / stiffness, s=x.shape[-2:])
        return flat * loose

    return evened


def _typical(weight: Tensor) -> Tensor:
    return weight.log().mean((1, 2), keepdim=True).exp()


def _product(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum((1, 2), keepdim=True)

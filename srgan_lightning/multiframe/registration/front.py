"""The front door of registration: a burst in, its motion and its outliers out."""

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError, nearest
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.prepare import Level, filled, grey, pyramid, windowed
from srgan_lightning.multiframe.ranking import best_frames, noise_level
from srgan_lightning.multiframe.registration.ecc import MODELS, Comparison, Template, align
from srgan_lightning.multiframe.registration.ecc import Model as EccModel
from srgan_lightning.multiframe.registration.local import local_warps
from srgan_lightning.multiframe.registration.outliers import reasons_against
from srgan_lightning.multiframe.registration.phase import phase_correlation
from srgan_lightning.multiframe.registration.stars import match_stars

Model = Literal["translation", "similarity", "affine", "homography", "stars"]

_SIGMA = 1.0  # pixels: aliases that lead astray are blurred away, and little else
_AT_ONCE = 2**22  # pixels in memory
_PHASE = 0.02  # pixels: frames whose sub-pixel places differ by less show no detail
_LOOSE = 0.985  # correlation, typical frames with the reference: with less the model is too stiff,
_BEYOND = 6.0  # where what is left over is so many times the noise
_TRIES = 3  # references, before all frames are said to be rejected


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """What registration found.

    Attributes:
        motion: from the reference to every frame, outliers too.
        reference: the number of the reference among the frames.
        kept: whether a frame may be fused, bool `[N]`.
        residuals: standard deviation of what is left between a frame and the reference, brightness
            and contrast made equal, both blurred by a pixel; in units of the frames, `[N]`.
        correlations: of each frame with the reference, both blurred by a pixel, `[N]`.
        reasons: for each frame why it is not kept, "" where it is.
    """

    motion: Motion
    reference: int
    kept: Tensor
    residuals: Tensor
    correlations: Tensor
    reasons: tuple[str, ...]


def register(
    frames: Frames,
    *,
    model: Model = "translation",
    local: bool = False,
    reference: int | None = None,
    device: torch.device | str = "cpu",
    on_frames: Callable[[int], None] = lambda count: None,
) -> Registered:
    """Find where each pixel of one frame lies in all the others.

    A first guess comes from phase correlation (or, with "stars", from triangles of stars), which
    the enhanced correlation coefficient refines from coarse to fine. Frames that do not fit are
    not kept, with the reason said.

    Args:
        frames: the burst; a few of its frames are in memory at a time.
        model: what motion is looked for; "stars" is a similarity of any size.
        local: look for local warps too, in a second pass over the frames; then memory grows with
            their number.
        reference: the frame whose pixels the motion starts from; None takes the best by
            `best_frames`, or the next best where that one fits no other.
        device: where to compute; the result lies on the CPU.
        on_frames: called again and again with the number of frames that a pass has done since.

    Raises:
        UserError: the model or the reference is unknown, the reference is flat, no frame is kept
            beside it, or astroalign is absent and wanted.
    """
    if model not in (*MODELS, "stars"):
        raise UserError(f"model: unknown {model!r}; {nearest(model, (*MODELS, 'stars'))}")
    if reference is not None and not 0 <= reference < len(frames):
        raise UserError(f"reference: must be from 0 to {len(frames) - 1}; got {reference}")
    candidates = [reference] if reference is not None else best_frames(frames, keep=1)[0][:_TRIES]
    place = torch.device(device)
    for candidate in candidates:
        levels = pyramid(grey(frames[candidate][None].to(place)), sigma=_SIGMA)
        if not levels[0].weight.any() or _is_flat(levels[0]):
            raise UserError(f"{frames.names[candidate]}: is flat; nothing in it can be registered")
        seen = _compared(frames, levels, model, on_frames)
        found = _judged(seen, candidate)
        if reference is not None or 2 * (int(found.kept.sum()) - 1) >= len(frames) - 1:
            break
    if local:
        found = _judged(_bent(frames, levels, seen, on_frames), found.reference)
    if int(found.kept.sum()) == 1:
        reason = next(reason for reason in found.reasons if reason)
        raise UserError(
            f"no frame fits {frames.names[found.reference]}, the reference: the first {reason}; "
            "name another reference or another model"
        )
    _warn_of(found, frames, model)
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Compared:
    """N frames laid on the reference: where, and how like it they are there."""

    matrices: Tensor
    flow: Tensor | None = None
    residual: Tensor
    correlation: Tensor
    overlap: Tensor
    faults: list[str]


def _compared(
    frames: Frames, levels: list[Level], model: Model, on_frames: Callable[[int], None]
) -> _Compared:
    faults: list[str] = []
    seen: list[tuple[Tensor, ...]] = []
    judge = Template(levels[0], model="translation")
    for some in _groups(frames, frames.size[0] * frames.size[1]):
        moved = pyramid(grey(some.to(levels[0].values.device)), sigma=_SIGMA)
        matrices, fault = _matrices(levels, moved, model)
        said = judge.compare(moved[0], matrices)
        found = (matrices, said.residual, said.correlation, said.overlap)
        seen.append(tuple(part.cpu() for part in found))
        faults += fault
        on_frames(len(some))
    matrices, residual, correlation, overlap = map(torch.cat, zip(*seen, strict=True))
    return _Compared(
        matrices=matrices,
        residual=residual,
        correlation=correlation,
        overlap=overlap,
        faults=faults,
    )


def _bent(
    frames: Frames, levels: list[Level], seen: _Compared, on_frames: Callable[[int], None]
) -> _Compared:
    """Add local warps, and what is left over with them.

    Enough bending makes anything look like something: the correlation is that without.
    """
    flows: list[Tensor] = []
    residuals: list[Tensor] = []
    judge = Template(levels[0], model="translation")
    done = 0
    for some in _groups(frames, frames.size[0] * frames.size[1]):
        moved = pyramid(grey(some.to(levels[0].values.device)), sigma=_SIGMA)
        matrices = seen.matrices[done : done + len(some)].to(levels[0].values.device)
        flow = local_warps(levels, moved, matrices)
        residuals.append(judge.compare(moved[0], matrices, flow).residual.cpu())
        flows.append(flow.cpu())
        done += len(some)
        on_frames(len(some))
    return dataclasses.replace(seen, flow=torch.cat(flows), residual=torch.cat(residuals))


def _judged(seen: _Compared, reference: int) -> Registered:
    reasons = reasons_against(seen.residual, seen.correlation, seen.overlap, reference=reference)
    reasons = [fault or reason for fault, reason in zip(seen.faults, reasons, strict=True)]
    reasons[reference] = ""
    matrices = seen.matrices.clone()
    matrices[reference] = torch.eye(3, dtype=torch.float64)
    return Registered(
        motion=Motion(matrices=matrices, flow=seen.flow),
        reference=reference,
        kept=torch.tensor([not reason for reason in reasons]),
        residuals=seen.residual,
        correlations=seen.correlation,
        reasons=tuple(reasons),
    )


def _groups(frames: Iterable[Tensor], pixels: int) -> Iterator[Tensor]:
    """Put frames together, as many as may be in memory at once."""
    group: list[Tensor] = []
    for frame in frames:
        group.append(frame)
        if (len(group) + 1) * pixels > _AT_ONCE:
            yield torch.stack(group)
            group = []
    if group:
        yield torch.stack(group)


def _matrices(
    reference: list[Level], frames: list[Level], model: Model
) -> tuple[Tensor, list[str]]:
    if model == "stars":
        begin, faults = match_stars(reference[0].values[0], frames[0].values)
        return align(reference, frames, begin, model="similarity"), faults
    begin = _first_guess(reference, frames)
    ecc: EccModel = model
    return align(reference, frames, begin, model=ecc), [""] * len(begin)


def _first_guess(reference: list[Level], frames: list[Level]) -> Tensor:
    """Shift by phase correlation, or not at all where that fits better.

    It is found at half the size, where a sensor's defects, which do not move, weigh less.
    """
    number = min(1, len(reference) - 1)
    one, many = (windowed(levels[number].values) for levels in (reference, frames))
    shifts = phase_correlation(one[0], many)
    judge = Template(reference[number], model="translation")
    guesses = [Motion.of_shifts(shifts), Motion.of_shifts(torch.zeros_like(shifts))]
    said: list[Comparison] = [judge.compare(frames[number], guess.matrices) for guess in guesses]
    better = said[0].correlation * said[0].usable >= said[1].correlation
    chosen = torch.where(better[:, None, None], guesses[0].matrices, guesses[1].matrices)
    chosen[:, :2, 2] *= 2**number
    return chosen


def _is_flat(level: Level) -> bool:
    values = level.values[level.weight > 0]
    return bool(values.max() - values.min() < 1e-6)


def _warn_of(found: Registered, frames: Frames, model: Model) -> None:
    for name, reason in zip(frames.names, found.reasons, strict=True):
        if reason:
            warnings.warn(f"{name}: is not fused: it {reason}", stacklevel=3)
    others = found.kept.clone()
    others[found.reference] = False
    agreement, left = (float(of[others].median()) for of in (found.correlations, found.residuals))
    noise = noise_level(filled(grey(frames[found.reference][None]))[0])
    if agreement < _LOOSE and left > _BEYOND * noise:
        warnings.warn(
            f"frames laid on the reference by {model!r} agree with it only to a correlation of "
            f"{agreement:.2f}: what moves otherwise is smeared; try another --motion, or --local",
            stacklevel=3,
        )
    height, width = frames.size
    corners = torch.tensor([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    motion = found.motion.select(found.kept.nonzero()[:, 0])
    places = torch.stack([motion.points(n, corners) for n in range(len(motion))])
    if float((places - places.round()).abs().max()) < _PHASE:
        warnings.warn(
            "all frames lie on the same sub-pixel place: fused, they lose noise but gain no detail",
            stacklevel=3,
        )

"""Motion made more exact by the picture that is fused with it (Hardie, Barnard, Armstrong 1997)."""

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.fused import places
from srgan_lightning.multiframe.fusion.observation import Observation, sensor_kernel
from srgan_lightning.multiframe.fusion.posterior import most_probable
from srgan_lightning.multiframe.prepare import filled, grey
from srgan_lightning.multiframe.ranking import quantization_noise
from srgan_lightning.multiframe.registration.ecc import generators, velocities
from srgan_lightning.multiframe.registration.front import Model

_FEWEST = 6  # frames: a picture of fewer follows each of them, wherever that is put
_SCALE = 4  # of the picture: with 2 or 3 it shows too little of what aliases
_TIMES = 3  # a picture is made and each frame moved
_ROUNDS = 6  # of a picture
_SIDE = 32  # pixels of the frames: of a part, without what its blur takes
_PARTS = 3  # along each side, at most: few would leave turns to guesswork
_BEYOND = 1.5  # times the step: it falls short, for the picture has followed the frame
_BELIEF = 0.1  # pixels: standard deviation of what motion is off, so that nothing moves blindly
_HUBER = 1.5  # standard deviations: what is further off pulls no harder
_MAD = 1.4826  # standard deviations of a Gaussian in its median absolute deviation


@dataclasses.dataclass(frozen=True)
class _Part:
    """A part of the reference, and the pixels of each frame that look at it.

    Attributes:
        corner: (x, y) on the fine grid.
        size: (height, width) on the fine grid.
        xy: pixels of each frame, `[m, 2]`.
        seen: their values, `[m]`.
    """

    corner: Tensor
    size: tuple[int, int]
    xy: list[Tensor]
    seen: list[Tensor]


def refine(
    frames: Frames,
    motion: Motion,
    *,
    model: Model,
    sigma: float,
    device: torch.device | str = "cpu",
) -> Motion:
    """Move each frame to where the most probable picture predicts it best.

    Frames of little blur alias, and what aliases leads a comparison of two frames astray. A picture
    x fused of all is free of it: frame n should be B x read at its places p, and where it is not,
    Gauss and Newton's step says how the places are off: with E the model's small warps and robust
    weights,

        yₙ ≈ B x(p) + Σ dₖ ∇B x(p) · Eₖ p,    M ← M exp(−Σ dₖ Eₖ),

    taken only where the frame then fits better. A picture of the new motion follows, three times in
    all. All is done in grey, on the most textured parts of the picture.

    Args:
        frames: those to be fused.
        motion: of these frames; local warps are left as they are.
        model: what motion was looked for.
        sigma: of the point-spread function, in pixels of the frames.
        device: where to compute; the result lies on the CPU.

    Returns:
        The motion, in which the frame that was moved least (the reference) stays where it is. With
        fewer than six frames, or hardly larger ones than their blur, it is the one given.
    """
    if len(frames) < _FEWEST or _SCALE * min(frames.size) < 2 * len(sensor_kernel(_SCALE, sigma)):
        return motion
    device = torch.device(device)
    stack = torch.cat([grey(frame[None]) for frame in frames]).to(device)
    motion = motion.to(device)
    begin = motion.matrices
    held = int((begin - torch.eye(3, device=device)).square().sum((1, 2)).argmin())
    basis = generators("similarity" if model == "stars" else model, frames.size, device=device)
    side = _SIDE + 2 * int(3 * sigma)
    parts = [_look(stack, motion, rows, columns) for rows, columns in _parts(stack[held], side)]
    rounding = quantization_noise(frames[0])
    for _ in range(_TIMES):
        views = [_predict(part, motion, sigma, rounding) for part in parts]
        moved = [_moved(parts, views, motion, n, basis) for n in range(len(motion))]
        # What the reference was off by is what the picture was, and with it all frames.
        back = torch.linalg.inv(moved[held]) @ begin[held]
        matrices = torch.stack(moved) @ back
        matrices[held] = begin[held]
        motion = dataclasses.replace(motion, matrices=matrices / matrices[:, 2:, 2:])
    return motion.to(torch.device("cpu"))


def _parts(image: Tensor, side: int) -> list[tuple[slice, slice]]:
    """Return the most textured part of each ninth; parts cover small pictures as a whole."""
    image = filled(image[None])
    across, down = image[:, 1:, 1:] - image[:, 1:, :-1], image[:, 1:, 1:] - image[:, :-1, 1:]
    lively = F.pad(across**2 + down**2, (1, 0, 1, 0))
    parts = []
    for top, bottom in _cells(image.shape[1], side):
        for left, right in _cells(image.shape[2], side):
            cell = lively[:, top:bottom, left:right]
            size = min(side, bottom - top), min(side, right - left)
            mean = F.avg_pool2d(cell, size, stride=1)[0]
            y, x = divmod(int(mean.argmax()), mean.shape[1])
            rows, columns = slice(top + y, top + y + size[0]), slice(left + x, left + x + size[1])
            parts.append((rows, columns))
    return parts


def _cells(length: int, side: int) -> list[tuple[int, int]]:
    count = min(_PARTS, -(-length // side))
    return [(length * n // count, length * (n + 1) // count) for n in range(count)]


def _look(stack: Tensor, motion: Motion, rows: slice, columns: slice) -> _Part:
    last = torch.tensor([stack.shape[2] - 1, stack.shape[1] - 1], device=stack.device)
    edge = torch.tensor(
        [[x, y] for x in (columns.start, columns.stop) for y in (rows.start, rows.stop)]
    )
    xy, seen = [], []
    for n, frame in enumerate(stack):
        there = motion.points(n, edge.to(stack.device))
        left, top = there.amin(0).floor().clamp(min=0).long().tolist()
        right, bottom = (there.amax(0).ceil().minimum(last) + 1).clamp(min=0).long().tolist()
        window = pixel_grid(max(0, bottom - top), max(0, right - left), device=stack.device)
        xy.append(window.flatten(0, 1) + window.new_tensor([left, top]))
        seen.append(frame[top:bottom, left:right].flatten())
    corner = torch.tensor([columns.start, rows.start], device=stack.device) * _SCALE
    height, width = rows.stop - rows.start, columns.stop - columns.start
    return _Part(corner, (height * _SCALE, width * _SCALE), xy, seen)


def _predict(part: _Part, motion: Motion, sigma: float, rounding: float) -> Tensor:
    """Return B x and its slopes along x and y, as far as it is known, `[3, h, w]`."""
    where = [places(motion, n, xy, scale=_SCALE) for n, xy in enumerate(part.xy)]
    observation = Observation(
        torch.cat(where) - part.corner, size=part.size, scale=_SCALE, sigma=sigma
    )
    seen = torch.cat(part.seen)[observation.inside, None]
    picture = most_probable(
        observation, seen, scale=_SCALE, rounding=rounding, rounds=_ROUNDS
    ).picture
    kernel = observation.kernel
    blurred = F.conv2d(F.conv2d(picture, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    across = F.pad(blurred[..., 2:] - blurred[..., :-2], (1, 1)) / 2
    down = F.pad(blurred[..., 2:, :] - blurred[..., :-2, :], (0, 0, 1, 1)) / 2
    return torch.cat([blurred, across, down])


def _moved(
    parts: list[_Part], views: list[Tensor], motion: Motion, n: int, basis: Tensor
) -> Tensor:
    """Return the matrix of frame n after a step, or as it was, where that fits better."""
    before = motion.select([n])
    off, columns = _compare(parts, views, before, n, basis)
    if not len(off):
        return before.matrices[0]
    noise = _MAD * off.abs().median().clamp(min=1e-6)
    weight = (_HUBER * noise / off.abs().clamp(min=1e-12)).clamp(max=1)
    normal = (columns * weight) @ columns.T
    normal.diagonal().add_((noise / _BELIEF) ** 2)
    step = _BEYOND * torch.linalg.solve(normal, columns @ (weight * off))
    warp = torch.matrix_exp(-torch.einsum("k,kij->ij", step, basis))
    after = dataclasses.replace(before, matrices=before.matrices @ warp)
    then, _ = _compare(parts, views, after, n, basis)
    better = len(then) > 0 and _misfit(then, noise) < _misfit(off, noise)
    return after.matrices[0] if better else before.matrices[0]


def _compare(
    parts: list[_Part], views: list[Tensor], motion: Motion, n: int, basis: Tensor
) -> tuple[Tensor, Tensor]:
    """Compare what a frame shows, made as bright as its prediction, with that.

    Args:
        parts: of the picture.
        views: what `_predict` made of them.
        motion: of frame n alone.
        n: the frame.
        basis: the warps.

    Returns:
        Seen less predicted, `[m]`, and how predictions change with each warp, `[K, m]`.
    """
    pairs, changes = [], []
    for part, view in zip(parts, views, strict=True):
        height, width = view.shape[1:]
        lost = part.size[0] - height
        there = places(motion, 0, part.xy[n], scale=_SCALE)
        x, y = (at := there - part.corner - lost / 2).unbind(-1)
        good = (x > 1) & (y > 1) & (x < width - 2) & (y < height - 2) & part.seen[n].isfinite()
        predicted, across, down = sample_cubic(view[None], at[good][None])[0].double()
        speed = velocities(basis, (there[good] + 0.5) / _SCALE - 0.5) * _SCALE
        pairs.append(torch.stack([part.seen[n][good].double(), predicted]))
        changes.append(speed[..., 0] * across + speed[..., 1] * down)
    seen, predicted = torch.cat(pairs, dim=1)
    return _levelled(seen, predicted) - predicted, torch.cat(changes, dim=1)


def _levelled(seen: Tensor, predicted: Tensor) -> Tensor:
    """Return (seen − b) / a, with the a and b that bring a frame nearest to its prediction."""
    one, other = seen - seen.mean(), predicted - predicted.mean()
    gain = (one @ other) / (other @ other).clamp(min=1e-12)
    return one / gain.clamp(min=0.1) + predicted.mean()


def _misfit(off: Tensor, noise: Tensor) -> Tensor:
    """Return the mean of Huber's loss."""
    return F.huber_loss(off, torch.zeros_like(off), delta=float(_HUBER * noise))

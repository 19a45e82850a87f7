"""The front door of fusion: registered frames in, one picture out."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import back_projection, posterior
from srgan_lightning.multiframe.fusion.fused import Fused, places
from srgan_lightning.multiframe.fusion.kernel import kernel_regression
from srgan_lightning.multiframe.fusion.linear import drizzle, shift_and_add
from srgan_lightning.multiframe.fusion.observation import Observation

Method = Literal["map", "kernel", "drizzle", "shift-and-add", "back-projection"]
DEBLURRING = ("map", "back-projection")  # the methods that undo the point-spread function

_TILE = 48  # pixels of the frames; so much of all frames is computed at a time
_MARGIN = 6  # pixels of the frames around a tile, which its border needs to know


def fuse(
    frames: Frames,
    motion: Motion,
    *,
    method: Method = "map",
    scale: int = 4,
    sigma: float = 0.5,
    pixfrac: float = 0.7,
    device: torch.device | str = "cpu",
    on_progress: Callable[[float], None] = lambda share: None,
) -> Fused:
    """Fuse frames.

    Args:
        frames: those to be fused, outliers left out.
        motion: of these frames, from the reference whose grid HR divides.
        method: "map" (`most_probable`), "kernel" (`kernel_regression`), "drizzle", "shift-and-add"
            or "back-projection". The first and the last hold the frames and a tile's equations in
            memory, the others one frame.
        scale: the factor, 1 to 8.
        sigma: of the point-spread function, a Gaussian, in pixels of the frames; only "map" and
            "back-projection" undo it.
        pixfrac: of drizzle, above 0 and at most 1.
        device: where to compute all but drizzle and shift-and-add; the result lies on the CPU.
        on_progress: called again and again with the share of the work that was done since.

    Returns:
        The picture and its maps, `[C, scale·H, scale·W]`.

    Raises:
        UserError: a number is out of bounds, or drizzle is absent.
    """
    check_bounds(scale=scale, sigma=sigma, pixfrac=pixfrac)
    pixels = len(frames) * frames.size[0] * frames.size[1]

    def told(made: int) -> None:
        on_progress(made / pixels)

    if method == "shift-and-add":
        return shift_and_add(frames, motion, scale=scale, on_pixels=told)
    if method == "drizzle":
        return drizzle(frames, motion, scale=scale, pixfrac=pixfrac, on_pixels=told)
    if method == "kernel":
        return kernel_regression(frames, motion, scale=scale, device=device, on_pixels=told)
    return _tiled(frames, motion, method, scale, sigma, torch.device(device), on_progress)


def check_bounds(*, scale: int, sigma: float, pixfrac: float) -> None:
    """Refuse what `fuse` does, before anything is read.

    Raises:
        UserError: a number is out of bounds.
    """
    for name, value, low, high in (
        ("scale", scale, 1, 8),
        ("psf", sigma, 0, 4),
        ("pixfrac", pixfrac, 0.01, 1),
    ):
        if not low <= value <= high:
            raise UserError(f"--{name}: must be from {low} to {high}; got {value:g}")


def _tiled(
    frames: Frames,
    motion: Motion,
    method: Method,
    scale: int,
    sigma: float,
    device: torch.device,
    on_progress: Callable[[float], None],
) -> Fused:
    height, width = frames.size
    stack = frames.stack()
    solve: Callable[..., Fused] = posterior.most_probable
    rounds = posterior.ROUNDS
    if method == "back-projection":
        solve, rounds = back_projection.back_project, back_projection.ROUNDS
    picture = torch.full((frames.channels, height * scale, width * scale), torch.nan)
    uncertainty, weight = picture.clone(), picture[0].clone()
    margin = _MARGIN + int(3 * sigma)
    for rows, columns in _tiles(height, width):
        share = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
        seen, where = _looking(stack, motion, _wider(rows, margin), _wider(columns, margin), scale)
        observation = Observation(
            where.to(device),
            size=tuple((s.stop - s.start + 2 * margin) * scale for s in (rows, columns)),
            scale=scale,
            sigma=sigma,
        )
        made = solve(
            observation,
            seen.to(device)[observation.inside],
            scale=scale,
            on_round=partial(on_progress, share / rounds),
        )
        there = tuple(slice(s.start * scale, s.stop * scale) for s in (rows, columns))
        inner = (slice(margin * scale, -margin * scale),) * 2
        picture[:, *there] = made.picture[:, *inner]
        weight[there] = made.weight[inner]
        uncertainty[:, *there] = made.uncertainty[:, *inner]
    return Fused(picture, weight, uncertainty)


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            yield slice(top, min(height, top + _TILE)), slice(left, min(width, left + _TILE))


def _wider(span: slice, margin: int) -> slice:
    return slice(span.start - margin, span.stop + margin)


def _looking(
    stack: Tensor, motion: Motion, rows: slice, columns: slice, scale: int
) -> tuple[Tensor, Tensor]:
    """Return the pixels that look at a part of the reference, and where on its HR grid.

    Returns:
        `[M, C]`, and (x, y) from the corner of the part, float64 `[M, 2]`.
    """
    height, width = stack.shape[-2:]
    origin = torch.tensor([columns.start, rows.start], dtype=torch.float64) * scale
    part = pixel_grid(rows.stop - rows.start, columns.stop - columns.start)
    edge = torch.cat([part[0], part[-1], part[:, 0], part[:, -1]]) + origin / scale
    pixels, where = [], []
    for n, frame in enumerate(stack):
        there = motion.points(n, edge)
        left, top = (there.amin(0).floor() - 1).clamp(min=0).long().tolist()
        right, bottom = (there.amax(0).ceil() + 2).clamp(min=0).long().tolist()
        right, bottom = min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            continue
        grid = pixel_grid(bottom - top, right - left).flatten(0, 1)
        grid = grid + torch.tensor([left, top], dtype=torch.float64)
        pixels.append(frame[:, top:bottom, left:right].flatten(1).T)
        where.append(places(motion, n, grid, scale=scale) - origin)
    return torch.cat(pixels), torch.cat(where)

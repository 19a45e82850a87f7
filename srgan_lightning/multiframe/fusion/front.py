"""The front door of fusion: registered frames in, one picture out."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import back_projection, posterior
from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.kernel import kernel_regression
from srgan_lightning.multiframe.fusion.linear import drizzle, shift_and_add
from srgan_lightning.multiframe.fusion.observation import Observation
from srgan_lightning.multiframe.fusion.tiles import looking, spans, strips, tile_side
from srgan_lightning.multiframe.ranking import quantization_noise

Method = Literal["map", "kernel", "drizzle", "shift-and-add", "back-projection"]
DEBLURRING = ("map", "back-projection")  # the methods that undo the point-spread function

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
            or "back-projection". The first and the last read the frames once for each row of
            tiles, and hold of them what looks at it, and a tile's equations; the others one frame.
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
    solve: Callable[..., Fused] = partial(
        posterior.most_probable, rounding=quantization_noise(frames[0])
    )
    rounds = posterior.ROUNDS
    if method == "back-projection":
        solve, rounds = back_projection.back_project, back_projection.ROUNDS
    picture = torch.full((frames.channels, height * scale, width * scale), torch.nan)
    uncertainty, weight = picture.clone(), picture[0].clone()
    margin = _MARGIN + int(3 * sigma)
    side = tile_side(len(frames), margin)
    for rows, high in spans(height, side, margin):
        kept = strips(frames, motion, high)
        for columns, wide in spans(width, side, margin):
            share = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
            seen, where = looking(kept, motion, high, wide, scale)
            observation = Observation(
                where.to(device),
                size=((high.stop - high.start) * scale, (wide.stop - wide.start) * scale),
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
            inner = tuple(
                slice(margin * scale, (margin + s.stop - s.start) * scale) for s in (rows, columns)
            )
            picture[:, *there] = made.picture[:, *inner]
            weight[there] = made.weight[inner]
            uncertainty[:, *there] = made.uncertainty[:, *inner]
    return Fused(picture, weight, uncertainty)

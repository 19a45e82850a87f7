"""Frames fused by a trained network."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.degradations.sighted import sighted
from srgan_lightning.errors import UserError
from srgan_lightning.inference.planes import fill
from srgan_lightning.inference.provenance import named
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.reference import least_moved
from srgan_lightning.networks.base import TYPICAL_BLUR, BurstGenerator
from srgan_lightning.networks.weights import load_generator
from srgan_lightning.pretrained import locate

_TILE = 96  # pixels of the reference


def load_fuser(model: str, *, scale: int) -> tuple[BurstGenerator, str]:
    """Load a generator that fuses.

    Args:
        model: a file of it, or what else `locate` takes.
        scale: by which it must enlarge.

    Returns:
        The generator, and what a result's metadata calls it.

    Raises:
        UserError: for what is no generator, one that enlarges single pictures, and another scale.
    """
    generator, _ = load_generator(locate(model))
    if not isinstance(generator, BurstGenerator):
        raise UserError(f"{model}: enlarges single pictures; --then {model} does so after fusion")
    if generator.scale != scale:
        raise UserError(f"{model}: enlarges by {generator.scale}; say --scale {generator.scale}")
    return generator, named(model)


def fuse_learned(
    frames: Frames,
    motion: Motion,
    generator: BurstGenerator,
    *,
    sigma: float = TYPICAL_BLUR,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Tensor:
    """Fuse frames with a generator, tile by tile.

    A tile has a margin as wide as the generator's receptive field and as far as pixels look away
    from their place, so that it is fused as the whole would be.

    Args:
        frames: those to be fused, outliers left out; the one that is moved least is the reference.
            Grey ones are taken as RGB, and NaN is filled from around.
        motion: of these frames.
        generator: in eval mode; it computes where it lies.
        sigma: standard deviation of the frames' blur in pixels, told to the generator.
        on_progress: called again and again with the share of the work that was done since.

    Returns:
        SR, float32 `[C, scale·H, scale·W]`, on the CPU; of grey frames the mean of what equal
        channels become.
    """
    height, width = frames.size
    scale = generator.scale
    device = next(generator.parameters()).device
    least, _ = least_moved(frames, motion)
    order = [least, *(n for n in range(len(frames)) if n != least)]
    stack = torch.stack([_known(frame) for frame in frames]).expand(-1, 3, -1, -1)
    burst = sighted(stack[order], motion.select(order), sigma=sigma)
    margin = (generator.halo or max(height, width)) + int(burst[:, 3:5].abs().max().ceil())
    sr = burst.new_zeros(3, height * scale, width * scale)
    for rows, more_rows in _spans(height, margin):
        for columns, more_columns in _spans(width, margin):
            with torch.inference_mode():
                part = burst[None, :, :, more_rows, more_columns].to(device)
                made = generator(part)[0].cpu()
            top = (rows.start - more_rows.start) * scale
            left = (columns.start - more_columns.start) * scale
            inner = made[:, top:, left:]
            there = (slice(s.start * scale, s.stop * scale) for s in (rows, columns))
            place = sr[:, *there]
            place.copy_(inner[:, : place.shape[1], : place.shape[2]])
            on_progress(place[0].numel() / sr[0].numel())
    return sr if frames.channels == 3 else sr.mean(0, keepdim=True)


def _known(frame: Tensor) -> Tensor:
    known = frame.isfinite().numpy()
    if known.all() or not known.any():
        return frame
    planes = zip(frame.double().numpy(), known, strict=True)
    return torch.from_numpy(np.stack([fill(*plane) for plane in planes])).float()


def _spans(length: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Yield the parts of a side, each also with its margin."""
    for start in range(0, length, _TILE):
        stop = min(length, start + _TILE)
        yield slice(start, stop), slice(max(0, start - margin), min(length, stop + margin))

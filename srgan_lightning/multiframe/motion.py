"""Which frames of a burst are fused, and how they are moved."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.ranking import best_frames
from srgan_lightning.multiframe.registration import register
from srgan_lightning.multiframe.registration.front import Model


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moved:
    """Frames that have been registered.

    Attributes:
        frames: those that were.
        motion: of all of them.
        kept: the numbers, among them, of those that may be fused.
    """

    frames: Frames
    motion: Motion
    kept: list[int]


def find_motion(
    frames: Frames,
    *,
    keep: float,
    model: Model,
    local: bool,
    device: torch.device,
    every: bool,
    on_stage: Callable[[str, float | None], None],
    on_frames: Callable[[int], None],
) -> Moved:
    """Register the sharpest frames; FITS on the first one, whose header is the result's.

    Args:
        frames: the burst.
        keep: the share of frames that may be fused.
        model: what motion is looked for.
        local: whether local warps are looked for too.
        device: where to compute.
        every: whether to register the frames as well that are not kept.
        on_stage: called with what is done next, and its number of frames where that is known.
        on_frames: called again and again with the number of frames that were done since.

    Raises:
        UserError: as `register` does.
    """
    wanted = _sharpest(frames, keep, on_stage)
    held = frames.header is not None
    numbers = [*range(len(frames))] if every else sorted(wanted | {0} if held else wanted)
    near = frames.only(numbers)
    on_stage("registering", len(near) * (2 if local else 1))
    found = register(
        near,
        model=model,
        local=local,
        reference=0 if held else None,
        device=device,
        on_frames=on_frames,
    )
    kept = [place for place, n in enumerate(numbers) if n in wanted and found.kept[place]]
    return Moved(frames=near, motion=found.motion, kept=kept)


def given_motion(
    frames: Frames, file: Path, *, keep: float, on_stage: Callable[[str, float | None], None]
) -> Moved:
    """Take the motion of all frames from a file.

    Raises:
        UserError: the file is missing, holds no motion, or that of another number of frames.
    """
    motion = Motion.load(file)
    if len(motion) != len(frames):
        raise UserError(f"{file}: tells of {len(motion)} frames, but there are {len(frames)}")
    if frames.header is not None and motion.flow is None:
        motion = motion.relative_to(0)
    return Moved(frames=frames, motion=motion, kept=sorted(_sharpest(frames, keep, on_stage)))


def _sharpest(
    frames: Frames, keep: float, on_stage: Callable[[str, float | None], None]
) -> set[int]:
    if keep == 1:
        return {*range(len(frames))}
    on_stage("ranking the frames", None)
    return {*best_frames(frames, keep=keep)[0]}

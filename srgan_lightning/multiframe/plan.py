"""The whole way of a burst: motion, brightness, blur, and one picture of all frames."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe import fusion
from srgan_lightning.multiframe.brightness import measure_brightness
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.learned import fuse_learned
from srgan_lightning.multiframe.motion import Moved, find_motion, given_motion
from srgan_lightning.multiframe.psf import Psf, find_psf, given_psf
from srgan_lightning.multiframe.registration.front import Model
from srgan_lightning.networks.base import TYPICAL_BLUR, BurstGenerator

Planes = NDArray[np.float32]  # [C, H, W]
OnStage = Callable[[str, float | None], None]
OnProgress = Callable[[float], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """What has become of a burst.

    Attributes:
        picture: `[C, scale·H, scale·W]`, NaN where no frame looked.
        maps: "weight" and "uncertainty", likewise; nothing of a generator, for nobody knows how
            sure it is.
        count: how many frames it is made of.
        motion: of all frames that were registered, as it was used.
        told: how it was made, by keyword, for a picture's metadata.
    """

    picture: Planes
    maps: Mapping[str, Planes]
    count: int
    motion: Motion
    told: Mapping[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How a burst is fused.

    Args:
        fuser: a method of `fusion.fuse`, or a generator that fuses.
        label: what metadata call it.
        scale: see `fusion.fuse`.
        psf: the frames' blur, σ in pixels as a number, or a way to find it (`psf.WAYS`).
        pixfrac: see `fusion.fuse`.
        device: where to compute.
        motion: see `find_motion`, as also the next two.
        local: likewise.
        keep: likewise.
        motion_file: take the motion from there and do not refine it; None finds it.
        every: whether to register the frames as well that are not kept.

    Raises:
        UserError: a number is out of bounds, or psf neither a number nor a way.
    """

    fuser: fusion.Method | BurstGenerator
    label: str
    scale: int
    psf: str
    pixfrac: float
    device: torch.device
    motion: Model
    local: bool
    keep: float
    motion_file: Path | None
    every: bool

    def __post_init__(self) -> None:
        blur = given_psf(self.psf)
        sigma = blur.sigma if blur else 0
        fusion.check_bounds(scale=self.scale, sigma=sigma, pixfrac=self.pixfrac)

    @property
    def deblurs(self) -> bool:
        """Whether the blur is undone that is given or found."""
        if isinstance(self.fuser, BurstGenerator):
            return self.fuser.deblurs
        return self.fuser in fusion.DEBLURRING

    def carry_out(self, frames: Frames, *, on_stage: OnStage, on_progress: OnProgress) -> Made:
        """Fuse a burst.

        Args:
            frames: all of it.
            on_stage: called with what is done next, and of how much where that is known.
            on_progress: called again and again with how much was done since.

        Raises:
            UserError: as registration does; fewer than two frames are left; the blur is not found.
        """
        moved = self._moved(frames, on_stage, on_progress)
        found, kept = moved.motion, moved.kept
        if len(kept) < 2:
            raise UserError("fewer than two frames are left to be fused; keep more of them")
        burst, motion = moved.frames.only(kept), found.select(kept)
        with torch.inference_mode():
            on_stage("comparing the brightness", None)
            brightness = measure_brightness(burst, motion)
            burst = burst.levelled(brightness.gains, brightness.offsets)
            blur = given_psf(self.psf)
            if self.deblurs:
                blur = blur or find_psf(burst, motion, self.psf)
                if self.fuser != "back-projection" and self.motion_file is None:
                    on_stage("refining the motion", None)
                    motion = fusion.refine(
                        burst, motion, model=self.motion, sigma=blur.sigma, device=self.device
                    )
            refined = not torch.equal(motion.matrices, found.matrices[kept])
            on_stage("fusing", 1.0)
            picture, maps = self._fused(burst, motion, blur, on_progress)
        matrices = found.matrices.index_copy(0, torch.tensor(kept), motion.matrices)
        told = self._told(f"{len(kept)} of {len(frames)} frames", blur, refined=refined)
        return Made(
            picture=picture,
            maps=maps,
            count=len(kept),
            motion=dataclasses.replace(found, matrices=matrices),
            told={"Fusion": told, "Brightness": brightness.told},
        )

    def _moved(self, frames: Frames, on_stage: OnStage, on_progress: OnProgress) -> Moved:
        if self.motion_file is not None:
            return given_motion(frames, self.motion_file, keep=self.keep, on_stage=on_stage)
        return find_motion(
            frames,
            keep=self.keep,
            model=self.motion,
            local=self.local,
            device=self.device,
            every=self.every,
            on_stage=on_stage,
            on_frames=on_progress,
        )

    def _fused(
        self, burst: Frames, motion: Motion, blur: Psf | None, on_progress: OnProgress
    ) -> tuple[Planes, Mapping[str, Planes]]:
        if isinstance(self.fuser, BurstGenerator):
            generator = self.fuser.to(self.device)
            sigma = blur.sigma if blur else TYPICAL_BLUR
            sr = fuse_learned(burst, motion, generator, sigma=sigma, on_progress=on_progress)
            return sr.numpy(), {}
        fused = fusion.fuse(
            burst,
            motion,
            method=self.fuser,
            scale=self.scale,
            sigma=blur.sigma if blur else 0,
            pixfrac=self.pixfrac,
            device=self.device,
            on_progress=on_progress,
        )
        maps = {"weight": fused.weight.numpy()[None], "uncertainty": fused.uncertainty.numpy()}
        return fused.picture.numpy(), maps

    def _told(self, frames: str, blur: Psf | None, *, refined: bool) -> str:
        details = f", pixfrac {self.pixfrac:g}" if self.fuser == "drizzle" else ""
        if blur and self.deblurs:
            details = f", psf {blur.sigma:g} ({blur.told})"
        motion = "given"
        if self.motion_file is None:
            motion = self.motion + (" and local" if self.local else "")
        after = ", refined on the fused picture" if refined else ""
        return f"{self.label} of {frames}, x{self.scale}{details}, motion {motion}{after}"

"""Bursts to measure with, and the methods that make one picture of many frames."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError, nearest
from srgan_lightning.evaluation.pairs import BenchmarkPair, DegradedPairs
from srgan_lightning.inference.planes import fill
from srgan_lightning.multiframe.brightness import measure_brightness
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import Method, fuse, refine
from srgan_lightning.multiframe.fusion.learned import fuse_learned
from srgan_lightning.multiframe.registration import register
from srgan_lightning.multiframe.registration.front import Model as MotionModel
from srgan_lightning.networks.base import BurstGenerator

PREFIX = "fuse:"  # before a method of `srgan fuse`, where models are named

Fusion = Callable[[Frames, Motion], Tensor]  # to a picture [3, H, W], NaN where no frame looked


@dataclass(frozen=True)
class BurstPair(BenchmarkPair):
    """A picture seen in many frames; LR is the first of them, the reference.

    Attributes:
        frames: float32 `[N, 3, h, w]` in [0, 1].
        motion: of all frames, as registration has found it.
        kept: the numbers of those that registration finds fit to be fused; the first is 0.
    """

    frames: Tensor
    motion: Motion
    kept: tuple[int, ...]


class BurstPairs(DegradedPairs):
    """The pictures of a folder, and a burst of each, drawn by the seed and the picture's name.

    Args:
        hr: a folder of pictures.
        degradation: how frames are made.
        seed: of the draws.
        registering: whether the motion is wanted, which is then estimated once for each burst.

    Raises:
        UserError: as `DegradedPairs` does, and where no frame fits the reference.
    """

    degradation: Burst

    def __init__(self, hr: Path, *, degradation: Burst, seed: int, registering: bool) -> None:
        super().__init__(hr, degradation=degradation, seed=seed)
        self._registering = registering and degradation.frames > 1

    @override
    def _pair(self, name: str, hr: Tensor, draws: torch.Generator) -> BurstPair:
        frames = self.degradation.observe(hr, draws)[0][0]
        motion, kept = Motion.of_shifts(torch.zeros(len(frames), 2)), tuple(range(len(frames)))
        if self._registering:
            found = register(
                Frames.of(frames),
                model=motion_model(self.degradation),
                local=self.degradation.seeing > 0,
                reference=0,
            )
            motion, kept = found.motion, tuple(found.kept.nonzero()[:, 0].tolist())
        return BurstPair(name, frames[:1], hr, frames, motion, kept)


def motion_model(burst: Burst) -> MotionModel:
    """Return the simplest model of motion that can follow a burst's."""
    if burst.affine:
        return "affine"
    return "similarity" if burst.rotation else "translation"


def describe_alignment(burst: Burst) -> str:
    """Say how frames are brought together, and SR onto HR, for a protocol's stamp."""
    local = " and local warps" if burst.seeing else ""
    how = f"{motion_model(burst)}{local}, for map and burst_map refined on the fused picture"
    return f"motion estimated ({how}), SR moved onto HR by one shift"


@dataclass(frozen=True, kw_only=True)
class FusionModel:
    """A method that fuses the first frames of a burst; see `models.Model`.

    Attributes:
        name: what tables call it.
        count: of frames, the reference counted; those that do not fit are left out.
        fusion: makes the picture.
    """

    name: str
    count: int
    fusion: Fusion

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Fuse the pair's frames, evened out; what no frame shows is filled from its neighbours.

        Raises:
            UserError: for a pair that is no burst.
        """
        if not isinstance(pair, BurstPair):
            raise UserError(f"{self.name}: fuses the frames of bursts; say degradation=burst")
        chosen = [n for n in pair.kept if n < self.count]
        frames, motion = Frames.of(pair.frames).only(chosen), pair.motion.select(chosen)
        with torch.inference_mode():
            brightness = measure_brightness(frames, motion)
            frames = frames.levelled(brightness.gains, brightness.offsets)
            picture = self.fusion(frames, motion)
        if picture.isfinite().all():
            return picture[None]
        planes = picture.double().numpy()
        filled = np.stack([fill(plane, np.isfinite(plane)) for plane in planes])
        return torch.from_numpy(filled.astype(np.float32))[None]


def learned_fusion(generator: BurstGenerator, burst: Burst) -> Fusion:
    """Return the fusion by a generator; the mean blur is told to it."""
    sigma, model = sum(burst.blur_sigma) / 2, motion_model(burst)

    def fusion(frames: Frames, motion: Motion) -> Tensor:
        if generator.deblurs:
            motion = refine(frames, motion, model=model, sigma=sigma)
        return fuse_learned(frames, motion, generator, sigma=sigma)

    return fusion


def named_fusion(name: str, burst: Burst) -> Fusion:
    """Return the method of `srgan fuse` that `fuse:METHOD` names; the mean blur is told to it.

    Raises:
        UserError: where there is no such method.
    """
    methods: dict[str, Method] = {PREFIX + method: method for method in get_args(Method)}
    if name not in methods:
        raise UserError(f"model={name}: no such method; {nearest(name, methods)}")
    sigma, method, model = sum(burst.blur_sigma) / 2, methods[name], motion_model(burst)

    def fusion(frames: Frames, motion: Motion) -> Tensor:
        if method == "map":
            motion = refine(frames, motion, model=model, sigma=sigma)
        return fuse(frames, motion, method=method, scale=burst.scale, sigma=sigma).picture

    return fusion

"""Motion refined on the fused picture, against known motion."""

import dataclasses

import pytest
import torch
from skimage.data import camera

from srgan_lightning.degradations import Burst, Motion
from srgan_lightning.degradations.motion import pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import refine
from srgan_lightning.multiframe.registration import register

BLUR = 0.25  # so little that frames alias
SIZE = 44, 52


def observe(seed: int = 0, size: tuple[int, int] = SIZE, **options) -> tuple[torch.Tensor, Motion]:
    height, width = 4 * size[0], 4 * size[1]
    hr = torch.from_numpy(camera()[60 : 60 + height, 120 : 120 + width].copy()).float() / 255
    burst = Burst(**{"frames": 12, "blur_sigma": (BLUR, BLUR), **options})
    frames, (motion,) = burst.observe(hr[None, None], torch.Generator().manual_seed(seed))
    return frames[0], motion


def errors(found: Motion, true: Motion, size: tuple[int, int] = SIZE) -> torch.Tensor:
    """Root mean square over a frame, in pixels, of all frames."""
    grid = pixel_grid(*size)
    off = [found.points(n, grid) - true.points(n, grid) for n in range(len(true))]
    return torch.stack(off).square().mean((1, 2, 3)).sqrt()


def shaken(motion: Motion, by: float = 0.03) -> Motion:
    """Move all but the first frame."""
    matrices = motion.matrices.clone()
    draws = torch.randn(len(matrices), 2, generator=torch.Generator().manual_seed(7))
    matrices[1:, :2, 2] += by * draws[1:].double()
    return dataclasses.replace(motion, matrices=matrices)


@pytest.mark.parametrize(
    ("model", "moves", "share"),
    [
        ("translation", {}, 0.5),
        ("similarity", {"rotation": 3.0}, 0.75),
        ("affine", {"rotation": 1.0, "affine": 0.01}, 0.75),
        ("homography", {"rotation": 1.0, "affine": 0.01}, 0.75),
    ],
)
def test_frames_that_alias_are_placed_better(model: str, moves: dict[str, float], share: float):
    frames, true = observe(**moves)
    found = register(Frames.of(frames), model=model, reference=0)
    assert found.kept.all()
    refined = refine(Frames.of(frames), found.motion, model=model, sigma=BLUR)
    before, after = (float(errors(m, true).square().mean().sqrt()) for m in (found.motion, refined))
    assert after < share * before
    assert torch.equal(refined.matrices[0], torch.eye(3, dtype=torch.float64))


def test_a_common_error_of_all_frames_but_the_reference_is_found():
    """The picture lies where most frames are put, so that the reference alone tells of it."""
    frames, true = observe()
    matrices = true.matrices.clone()
    matrices[1:, 0, 2] += 0.1
    refined = refine(Frames.of(frames), Motion(matrices=matrices), model="translation", sigma=BLUR)
    assert errors(refined, true).mean() < 0.01


@pytest.mark.parametrize("wrong", ["noise", "flat", "unknown"])
def test_a_wrong_frame_leads_no_other_astray(wrong: str):
    frames, true = observe()
    noise = torch.rand(frames[5].shape, generator=torch.Generator().manual_seed(3))
    frames[5] = {"noise": noise, "flat": 0.5, "unknown": torch.nan}[wrong]
    frames[7, :, 4:9, 4:9] = torch.nan
    begin = shaken(true)
    refined = refine(Frames.of(frames), begin, model="translation", sigma=BLUR)
    assert refined.matrices.isfinite().all()
    good = torch.tensor([n for n in range(1, len(frames)) if n != 5])
    off = errors(refined, true)[good]
    assert off.median() < 0.005
    assert off.max() < 0.015
    assert errors(begin, true)[good].mean() > 0.025


def test_exact_motion_stays():
    frames, true = observe(read_noise=3.0)
    refined = refine(Frames.of(frames), true, model="homography", sigma=BLUR)
    assert errors(refined, true).max() < 0.02


def test_local_warps_are_left_as_they_are():
    frames, true = observe(seeing=0.3, frames=6)
    begin = shaken(true)
    refined = refine(Frames.of(frames), begin, model="translation", sigma=BLUR)
    assert torch.equal(refined.flow, true.flow)
    assert errors(refined, true).mean() < 0.5 * errors(begin, true).mean()


@pytest.mark.parametrize(("count", "size"), [(5, SIZE), (8, (4, 52))])
def test_what_knows_too_little_is_left(count: int, size: tuple[int, int]):
    frames, true = observe(frames=count, size=size)
    begin = shaken(true)
    assert refine(Frames.of(frames), begin, model="translation", sigma=BLUR) is begin


@pytest.mark.gpu
def test_cuda_finds_the_same_motion():
    frames, true = observe()
    one, other = (
        refine(Frames.of(frames), shaken(true), model="affine", sigma=BLUR, device=device)
        for device in ("cpu", "cuda")
    )
    assert other.matrices.device == torch.device("cpu")
    assert errors(one, other).max() < 2e-3

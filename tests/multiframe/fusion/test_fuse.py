import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import front, fuse

METHODS = ["map", "kernel", "drizzle", "shift-and-add", "back-projection"]


def scene(size: int = 96, seed: int = 0) -> torch.Tensor:
    """Discs and squares of all sizes, slightly soft."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    picture = torch.full((size, size), 0.4)
    for _ in range(40):
        cx, cy, r, level = torch.rand(4, generator=generator) * torch.tensor([size, size, 12, 1])
        picture[(x - cx) ** 2 + (y - cy) ** 2 < (r + 2) ** 2] = level
    return F.avg_pool2d(picture[None, None], 3, 1, 1, count_include_pad=False)


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    inner = (..., slice(12, -12), slice(12, -12))
    return -10 * math.log10(float((one - other)[inner].square().mean()))


def phases(scale: int) -> Motion:
    steps = [(x / scale, y / scale) for y in range(scale) for x in range(scale)]
    return Motion.of_shifts(-torch.tensor(steps))


@pytest.mark.parametrize("method", METHODS)
def test_fusion_beats_one_frame(method: str):
    hr = scene()
    burst = Burst(scale=4, frames=16, blur_sigma=(0.4, 0.4))
    frames, (motion,) = burst.observe(hr, torch.Generator().manual_seed(2))
    shares: list[float] = []
    made = fuse(Frames.of(frames[0]), motion, method=method, sigma=0.4, on_progress=shares.append)
    bicubic = F.interpolate(frames[:, 0], scale_factor=4, mode="bicubic")
    # The others do not undo the sensor's blur: they only lose noise.
    least = {"map": 4.0, "back-projection": 3.0}.get(method, -0.3)
    assert psnr(made.picture, hr[0]) > psnr(bicubic, hr) + least
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert made.picture.shape == made.uncertainty.shape == (1, 96, 96)
    assert made.weight.shape == (96, 96)
    often = {"shift-and-add": 1}.get(method, 16)  # pixels of frames at an HR pixel
    if method != "drizzle":
        assert made.weight[20:-20, 20:-20].mean() == pytest.approx(often, rel=0.3)


@pytest.mark.gpu
@pytest.mark.parametrize("method", ["map", "kernel", "back-projection"])
def test_cuda_makes_the_same_picture(method: str):
    burst = Burst(scale=4, frames=8, blur_sigma=(0.4, 0.4))
    frames, (motion,) = burst.observe(scene(), torch.Generator().manual_seed(2))
    one, other = (
        fuse(Frames.of(frames[0]), motion, method=method, device=device).picture
        for device in ("cpu", "cuda")
    )
    assert one.device == other.device == torch.device("cpu")
    torch.testing.assert_close(one, other, atol=5e-3, rtol=0)


def test_with_all_phases_shift_and_add_returns_the_samples():
    fine = torch.rand(1, 24, 28, generator=torch.Generator().manual_seed(0))
    frames = torch.stack([fine[:, y::4, x::4] for y in range(4) for x in range(4)])
    steps = torch.tensor([(x / 4, y / 4) for y in range(4) for x in range(4)])
    # A frame's pixel is the HR pixel at its own corner, 1.5 HR pixels from its centre.
    made = fuse(Frames.of(frames), Motion.of_shifts(0.375 - steps), method="shift-and-add")
    torch.testing.assert_close(made.picture, fine)


def test_without_noise_and_blur_the_picture_comes_back():
    hr = scene()
    frames, (motion,) = Burst(
        scale=4, frames=16, blur_sigma=(0, 0), read_noise=0, quantize=False
    ).observe(hr, motions=[phases(4)])
    made = fuse(Frames.of(frames[0]), motion, sigma=0)
    assert psnr(made.picture, hr[0]) > 50


def test_a_wrong_frame_and_holes_do_no_harm():
    hr = scene()
    burst = Burst(scale=4, frames=16, blur_sigma=(0.4, 0.4))
    frames, (motion,) = burst.observe(hr, torch.Generator().manual_seed(2))
    good = psnr(fuse(Frames.of(frames[0]), motion, sigma=0.4).picture, hr[0])
    frames[0, 5] = torch.rand(frames[0, 5].shape, generator=torch.Generator().manual_seed(3))
    frames[0, 7, :, 4:9, 4:9] = torch.nan
    wrong = psnr(fuse(Frames.of(frames[0]), motion, sigma=0.4).picture, hr[0])
    assert wrong > good - 0.3


def stars(size: int = 96) -> torch.Tensor:
    """Return a dark sky with a faint cloud and points of light, in colour."""
    generator = torch.Generator().manual_seed(5)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    sky = 0.1 * torch.exp(-((x - 40) ** 2 + (y - 50) ** 2) / 800)
    picture = torch.stack([sky, 0.7 * sky, 0.9 * sky])
    for _ in range(25):
        cx, cy, light = torch.rand(3, generator=generator) * torch.tensor([size, size, 0.8])
        star = light * torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4)
        picture = picture + star * torch.tensor([1, 0.9, 0.8])[:, None, None]
    return picture[None].clamp(max=1)


@pytest.mark.parametrize(("hr", "least"), [(scene(), 4.0), (stars(), 4.5)], ids=["discs", "stars"])
def test_the_strength_suits_the_picture_and_each_frame_helps(hr: torch.Tensor, least: float):
    frames, (motion,) = Burst(scale=4, frames=16, blur_sigma=(0.4, 0.4)).observe(
        hr, torch.Generator().manual_seed(2)
    )
    bicubic = psnr(F.interpolate(frames[:, 0], scale_factor=4, mode="bicubic"), hr)
    gains = []
    for count in (1, 2, 4, 16):
        some = Frames.of(frames[0, :count])
        made = fuse(some, motion.select(list(range(count))), sigma=0.4).picture
        gains.append(psnr(made, hr[0]) - bicubic)
    assert gains == sorted(gains)
    assert gains[0] > -0.5
    assert gains[-1] > least


@pytest.mark.parametrize("method", ["map", "back-projection"])
def test_tiles_leave_no_seams_and_agree_with_the_whole(
    method: str, monkeypatch: pytest.MonkeyPatch
):
    hr = scene(4 * 60)
    frames, (motion,) = Burst(scale=4, frames=6, blur_sigma=(0.4, 0.4)).observe(
        hr, torch.Generator().manual_seed(2)
    )
    whole = fuse(Frames.of(frames[0]), motion, method=method, sigma=0.4)
    monkeypatch.setattr(front, "tile_side", lambda frames, margin: 48)
    tiles = fuse(Frames.of(frames[0]), motion, method=method, sigma=0.4)
    off = (tiles.picture - hr[0]).abs()[0]
    assert off[:, 48 * 4 - 2 : 48 * 4 + 2].mean() < 1.5 * off[:, 160:220].mean()
    apart = (tiles.picture - whole.picture).square().mean().sqrt()
    assert apart < 0.3 * (whole.picture - hr[0]).square().mean().sqrt()
    assert (tiles.uncertainty / whole.uncertainty).log().abs().mean() < 0.03
    assert (tiles.weight - whole.weight).abs().mean() < 0.02 * whole.weight.mean()


def reference_drizzle(frames: np.ndarray, shifts: np.ndarray, scale: int, pixfrac: float):
    """Overlaps of squares with squares, one axis after the other."""
    total = np.zeros((frames.shape[1] * scale, frames.shape[2] * scale))
    weight = np.zeros_like(total)

    def shares(length: int, shift: float) -> np.ndarray:
        centre = (np.arange(length) - shift + 0.5) * scale - 0.5
        half = pixfrac * scale / 2
        edge = np.arange(length * scale) - 0.5
        overlap = np.minimum(edge[:, None] + 1, centre + half) - np.maximum(
            edge[:, None], centre - half
        )
        return overlap.clip(0)

    for frame, (x, y) in zip(frames, shifts, strict=True):
        down, across = shares(frame.shape[0], y), shares(frame.shape[1], x)
        total += down @ frame @ across.T
        weight += down @ np.ones_like(frame) @ across.T
    return total / weight, weight


@pytest.mark.parametrize("pixfrac", [0.5, 1.0])
def test_drizzle_is_that_of_numpy(pixfrac: float):
    rng = np.random.default_rng(0)
    frames = rng.random((12, 20, 22))
    shifts = rng.uniform(-0.5, 0.5, (12, 2))
    shifts[0] = 0
    expected, weight = reference_drizzle(frames, shifts, 3, pixfrac)
    made = fuse(
        Frames.of(torch.from_numpy(frames)[:, None]),
        Motion.of_shifts(torch.from_numpy(shifts)),
        method="drizzle",
        scale=3,
        pixfrac=pixfrac,
    )
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(made.picture[0].numpy()[inner], expected[inner], atol=2e-5)
    ratio = made.weight.numpy()[inner] / weight[inner]
    assert np.ptp(ratio) < 1e-3 * ratio.mean()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"scale": 9}, "--scale"), ({"pixfrac": 0}, "--pixfrac"), ({"sigma": -1}, "--psf")],
)
def test_numbers_out_of_bounds_are_named(wrong: dict, told: str):
    with pytest.raises(UserError, match=told):
        fuse(Frames.of(torch.rand(2, 1, 8, 8)), phases(2).select([0, 1]), **wrong)


def test_the_levels_of_a_camera_leave_no_contours():
    """A slope over a few of 255 levels, seen without noise and through a blur that is undone."""
    y, x = torch.meshgrid(torch.arange(160.0), torch.arange(160.0), indexing="ij")
    hr = (100 + 3 * torch.sin(x / 25) + 2 * torch.cos(y / 30)) / 255
    burst = Burst(scale=4, frames=16, blur_sigma=(0.8, 0.8), read_noise=0.0)
    frames, (motion,) = burst.observe(hr[None, None], torch.Generator().manual_seed(0))
    assert len(torch.unique(frames)) < 14
    fused = fuse(Frames.of(frames[0]), motion, scale=4, sigma=0.8).picture[0]
    off = 255 * (fused - hr)[24:-24, 24:-24]
    assert off.std() < 0.6  # of a level; 4 where the noise is taken for what is left over

"""Kernel regression beside NumPy and SciPy, pixel by pixel, and what it is for."""

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy import ndimage

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.multiframe.brightness import measure_brightness
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import fuse
from srgan_lightning.multiframe.fusion.kernel import kernel_regression
from srgan_lightning.multiframe.ranking import noise_level
from srgan_lightning.multiframe.sources import Found


def covariances(image: np.ndarray, noise: float) -> np.ndarray:
    """By eigenvectors, one pixel after the other, `[H, W, 2, 2]`."""
    down, across = np.gradient(image)
    made = np.zeros((*image.shape, 2, 2))
    smooth = [
        ndimage.gaussian_filter(product, 1.0, mode="nearest", radius=3) / (noise**2 / 2)
        for product in (across * across, across * down, down * down)
    ]
    for place in np.ndindex(image.shape):
        xx, xy, yy = (plane[place] for plane in smooth)
        (weak, strong), vectors = np.linalg.eigh([[xx, xy], [xy, yy]])
        a = np.sqrt((strong - weak) / (strong + weak))
        flat = np.clip((2.25 - np.sqrt(strong)) / 1.25, 0, 1)
        along = 0.25 * ((1 - flat) * 2**a + flat * 3)
        across_it = 0.25 * ((1 - flat) * 0.5**a + flat * 3)
        made[place] = vectors @ np.diag([along**2, across_it**2]) @ vectors.T
    return made


def bilinear(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(plane, [y, x], order=1, mode="nearest")


def trust(reference: np.ndarray, frame: np.ndarray, matrix: np.ndarray, noise: np.ndarray):
    def means(planes: np.ndarray) -> np.ndarray:
        return np.stack([ndimage.uniform_filter(plane, 3, mode="nearest") for plane in planes])

    y, x = np.mgrid[: reference.shape[1], : reference.shape[2]]
    qx, qy, _ = np.einsum("ij,jhw->ihw", matrix, np.stack([x, y, np.ones_like(x)]))
    there = np.stack([bilinear(plane, qx, qy) for plane in means(frame)])
    d2 = ((there - means(reference)) ** 2).sum(0)
    spread = (means(reference**2) - means(reference) ** 2).sum(0)
    total = (noise**2).sum()
    d2 = d2**2 / (d2 + 2 * total / 9)
    trusted = np.clip(2 * np.exp(-d2 / np.maximum(spread, total)) - 0.12, 0, 1)
    return ndimage.minimum_filter(trusted, 5, mode="nearest")


def by_hand(frames: np.ndarray, matrices: np.ndarray, scale: int) -> np.ndarray:
    count, channels, height, width = frames.shape
    noise = np.array([noise_level(torch.from_numpy(plane)) for plane in frames[0]])
    grey = frames[0].mean(0)
    omega = covariances(grey, noise_level(torch.from_numpy(grey)))
    trusted = [trust(frames[0], frames[n], matrices[n], noise) for n in range(count)]
    made = np.full((channels, height * scale, width * scale), np.nan)
    for row, column in np.ndindex(made.shape[1:]):
        p = (np.array([column, row]) + 0.5) / scale - 0.5
        here = [[bilinear(omega[..., i, j], p[:1], p[1:])[0] for j in range(2)] for i in range(2)]
        precision, top, bottom = np.linalg.inv(here), np.zeros(channels), 0.0
        for n in range(count):
            turned, shift = matrices[n, :2, :2], matrices[n, :2, 2]
            q = turned @ p + shift
            believed = bilinear(trusted[n], p[:1], p[1:])[0]
            nearest = np.round(q).astype(int)
            for offset in np.ndindex(3, 3):
                x, y = nearest + offset - 1
                if 0 <= x < width and 0 <= y < height:
                    d = np.linalg.inv(turned) @ (np.array([x, y]) - q)
                    weight = believed * np.exp(-d @ precision @ d / 2)
                    top += weight * frames[n, :, y, x]
                    bottom += weight
        made[:, row, column] = top / bottom
    return made


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_what_the_sum_says(channels: int):
    rng = np.random.default_rng(channels)
    y, x = np.mgrid[:7, :8]
    scene = np.stack([0.4 + 0.3 * (x > 3 + 0.4 * y), 0.02 * x, 0.5 - 0.03 * y])[:channels]
    frames = scene + rng.normal(0, 0.02, (3, channels, 7, 8))
    frames[2, :, 5:, :3] += 0.2
    matrices = np.stack([np.eye(3)] * 3)
    matrices[1, :2] = [[0.94, -0.34, 1.3], [0.34, 0.94, -0.8]]  # turned by 20 degrees
    matrices[2, :2, 2] = [-0.7, 1.2]
    made = kernel_regression(
        Frames.of(torch.from_numpy(frames)),
        Motion(matrices=torch.from_numpy(matrices)),
        scale=3,
    )
    expected = by_hand(frames.astype(np.float32), matrices, 3)
    np.testing.assert_allclose(made.picture.numpy(), expected, atol=2e-5)


def squares(seed: int = 0, side: int = 128) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.rand(1, 3, side // 16, side // 16, generator=generator)
    return blocks.repeat_interleave(16, 2).repeat_interleave(16, 3)


def test_what_moves_by_itself_is_not_smeared():
    hr = squares()
    burst = Burst(scale=4, frames=12, blur_sigma=(0.4, 0.4))
    frames, (motion,) = burst.observe(hr, torch.Generator().manual_seed(1))
    quiet = fuse(Frames.of(frames[0]), motion, method="kernel")
    moving = frames[0].clone()
    for n in range(1, 12):  # a bright thing passes by; in the reference it is not there yet
        moving[n, :, 10:16, 2 * n : 2 * n + 6] = 1.0
    made = fuse(Frames.of(moving), motion, method="kernel")
    off = (made.picture - quiet.picture).abs()
    plain = fuse(Frames.of(moving), motion, method="drizzle").picture - quiet.picture
    path = (..., slice(40, 64), slice(12, 112))
    assert plain[path].abs().mean() > 0.08
    assert off[path].mean() < 0.02
    assert made.weight[path].mean() < 0.8 * quiet.weight[path].mean()
    assert off[:, 90:].mean() < 1e-3


def test_flat_parts_lose_more_noise_than_the_mean_of_as_many_frames():
    rng = torch.Generator().manual_seed(0)
    frames = 0.5 + 0.02 * torch.randn(8, 1, 40, 40, generator=rng)
    motion = Motion.of_shifts(torch.rand(8, 2, generator=rng))
    made = kernel_regression(Frames.of(frames), motion, scale=2)
    inner = (..., slice(8, -8), slice(8, -8))
    left = float((made.picture - 0.5)[inner].square().mean().sqrt())
    assert left < 0.7 * 0.02 / 8**0.5
    assert float(made.uncertainty[inner].square().mean().sqrt()) == pytest.approx(left, rel=0.25)


def test_holes_borders_and_turned_frames():
    hr = squares(side=96)
    burst = Burst(scale=4, frames=5, blur_sigma=(0.4, 0.4), rotation=20.0, shift=1.0)
    frames, (motion,) = burst.observe(hr, torch.Generator().manual_seed(2))
    whole = kernel_regression(Frames.of(frames[0]), motion, scale=4)
    assert whole.picture.isfinite().all()  # the reference sees all of it
    frames[0, 3, 0, 10:13, 10:13] = torch.nan
    holed = kernel_regression(Frames.of(frames[0]), motion, scale=4)
    assert holed.picture.isfinite().all()
    assert (holed.picture - whole.picture).abs().max() < 0.1
    frames[0, :, :, 14:24, 14:24] = torch.nan
    dark = kernel_regression(Frames.of(frames[0]), motion, scale=4).picture
    assert dark[:, 72:80, 72:80].isnan().all()


@pytest.mark.parametrize("method", ["kernel", "drizzle", "shift-and-add"])
def test_few_frames_are_in_memory_at_a_time(method: str):
    alive, most = 0, 0

    def freed() -> None:
        nonlocal alive
        alive -= 1

    def source() -> Iterator[Found]:
        nonlocal alive, most
        for n in range(20):
            values = np.random.default_rng(n).random((1, 16, 18)).astype(np.float32)
            weakref.finalize(values, freed)
            alive += 1
            most = max(most, alive)
            yield Found(str(n), values)

    names = tuple(map(str, range(20)))
    frames = Frames(
        names=names, channels=1, size=(16, 18), _sources=(source,), _numbers=tuple(range(20))
    )
    motion = Motion.of_shifts(torch.rand(20, 2, generator=torch.Generator().manual_seed(0)))
    measure_brightness(frames, motion)
    fuse(frames, motion, method=method, scale=2)
    assert most <= 4

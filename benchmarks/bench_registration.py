"""Is a burst registered five times as fast as scikit-image does it, and as exactly?

100 frames of 1280x960 with known shifts, of 8 bits as a camera gives them. Both find them to 1/100
pixel by phase correlation, in turns: `skimage.registration.phase_cross_correlation` frame by frame,
given the 8 bits and given float32, and this project's. The last row is
`register`, which refines every shift by the enhanced correlation coefficient.
"""

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import typer
from contest import console, contest, goal, machine, table
from skimage.registration import phase_cross_correlation

from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.registration import register
from srgan_lightning.multiframe.registration.phase import phase_correlation

GOAL = 5.0
SIZE = 960, 1280


def burst(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Make frames, uint8 `[N, H, W]`, of one band-limited scene, and their shifts (x, y)."""
    generator = np.random.default_rng(0)
    spectrum = np.fft.rfft2(generator.standard_normal(SIZE))
    v, u = np.fft.fftfreq(SIZE[0])[:, None], np.fft.rfftfreq(SIZE[1])
    spectrum *= np.exp(-((u**2 + v**2) / (2 * 0.12**2))) / (0.01 + np.hypot(u, v))
    shifts = generator.uniform(-8, 8, (frames, 2))
    shifts[0] = 0
    scale = np.fft.irfft2(spectrum, s=SIZE).std() * 6
    pictures = []
    for x, y in shifts:
        moved = np.fft.irfft2(spectrum * np.exp(-2j * np.pi * (u * x + v * y)), s=SIZE)
        noisy = 255 * (moved / scale + 0.5) + generator.standard_normal(SIZE)
        pictures.append(noisy.round().clip(0, 255).astype(np.uint8))
    return np.stack(pictures), shifts


def scikit_image(pictures: np.ndarray) -> np.ndarray:
    """Find the shifts by scikit-image."""
    first = pictures[0]
    found = [phase_cross_correlation(first, frame, upsample_factor=100)[0] for frame in pictures]
    return -np.stack(found)[:, ::-1]


def ours(pictures: np.ndarray) -> np.ndarray:
    """Find the shifts by this project's phase correlation."""
    frames = torch.from_numpy(pictures)
    return phase_correlation(frames[0].float(), frames).numpy()


def refined(pictures: np.ndarray) -> np.ndarray:
    """Find the shifts as `srgan fuse` does."""
    burst = Frames.of(torch.from_numpy(pictures)[:, None] / 255)
    return register(burst, reference=0).motion.matrices[:, :2, 2].numpy()


def main(
    frames: Annotated[int, typer.Option(help="frames of the burst")] = 100,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 3,
) -> None:
    """Compare time and exactness."""
    pictures, shifts = burst(frames)
    methods: dict[str, tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]] = {
        "scikit-image, 8 bits": (scikit_image, pictures),
        "scikit-image, float32": (scikit_image, pictures.astype(np.float32)),
        "phase correlation": (ours, pictures),
        "register": (refined, pictures),
    }
    errors: dict[str, float] = {}

    def turn(name: str) -> float:
        method, given = methods[name]
        begun = time.perf_counter()
        found = method(given)
        needed = time.perf_counter() - begun
        errors[name] = float(np.sqrt(np.mean((found - shifts) ** 2)))
        return needed

    times = contest({name: lambda name=name: turn(name) for name in methods}, rounds=rounds)
    result = table(
        f"{frames} frames of {SIZE[1]}x{SIZE[0]} ({machine(torch.device('cpu'))})",
        "",
        "seconds",
        "times as fast as scikit-image",
        "error, pixels",
    )
    slow = "scikit-image, 8 bits"
    for name in methods:
        ratio = f"{times.ratio(slow, name):.1f}"
        result.add_row(name, f"{times.median(name):.1f}", ratio, f"{errors[name]:.4f}")
    console.print(result)
    as_exact = errors["phase correlation"] <= errors[slow] + 0.001
    reached = times.ratio(slow, "phase correlation") >= GOAL and as_exact
    console.print(goal(reached, f"≥ {GOAL:g} times as fast, as exact"))


if __name__ == "__main__":
    typer.run(main)

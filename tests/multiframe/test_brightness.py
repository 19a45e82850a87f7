"""How bright frames are: exposures of photographs, transparency and sky of FITS."""

import numpy as np
import pytest
import torch
from astropy.io import fits

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.multiframe.brightness import measure_brightness
from srgan_lightning.multiframe.frames import Frames, open_frames
from srgan_lightning.multiframe.stars import find_stars


def night(
    shifts: np.ndarray, gains: np.ndarray, skies: np.ndarray, seeing: np.ndarray, noise: float = 1.0
) -> np.ndarray:
    """Frames of 30 stars on a sky, `[N, 100, 120]`."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:100, :120].astype(float)
    frames = np.zeros((len(gains), 100, 120))
    places = rng.uniform(12, 88, (30, 2)) * [1.2, 1]
    for (cx, cy), flux in zip(places, rng.uniform(3e3, 3e4, 30), strict=True):
        for n, (dx, dy) in enumerate(shifts):
            square = (x - cx - dx) ** 2 + (y - cy - dy) ** 2
            spread = seeing[n] ** 2
            frames[n] += flux / (2 * np.pi * spread) * np.exp(-square / (2 * spread))
    frames = frames * gains[:, None, None] + skies[:, None, None]
    return frames + rng.normal(0, noise, frames.shape)


def opened(tmp_path, cube: np.ndarray) -> Frames:
    fits.writeto(tmp_path / "night.fits", cube.astype(np.float32))
    return open_frames([tmp_path / "night.fits"])


def test_stars_tell_transparency_and_sky_whatever_the_seeing(tmp_path):
    rng = np.random.default_rng(1)
    shifts = np.concatenate([[[0, 0]], rng.uniform(-2, 2, (5, 2))])
    gains = np.array([1, 0.7, 1.0, 1.2, 0.95, 0.85])
    skies = np.array([100, 140, 100, 90, 100, 300.0])
    cube = night(shifts, gains, skies, np.array([1.5, 1.4, 1.6, 1.8, 1.5, 1.7]))
    frames = opened(tmp_path, cube)
    found = measure_brightness(frames, Motion.of_shifts(torch.from_numpy(shifts)))
    np.testing.assert_allclose(found.gains, gains, rtol=6e-3)  # an aperture loses a wide star
    assert found.gains[0] == 1
    low, high = frames.scale
    glow = (skies - low) / (high - low) - np.array(found.offsets)
    np.testing.assert_allclose(glow / found.gains * (high - low) + low, 100, atol=0.3)
    assert found.told.startswith("evened out, gains 0.")
    assert found.told.endswith(" and offsets")
    even = frames.levelled(found.gains, found.offsets).only([1, 4])
    assert [float(frame.median()) for frame in even] == pytest.approx(
        [float(frames[0].median())] * 2, abs=1e-3
    )


def test_a_planet_without_stars_is_compared_by_its_pixels(tmp_path):
    y, x = np.mgrid[:80, :80].astype(float)
    disc = 1000 / (1 + np.exp(np.hypot(x - 40, y - 40) - 20)) * (1 + 0.2 * np.sin(y / 3))
    rng = np.random.default_rng(0)
    cube = np.stack([disc, 0.8 * disc + 30, disc]) + rng.normal(0, 5, (3, 80, 80))
    found = measure_brightness(opened(tmp_path, cube), Motion.of_shifts(torch.zeros(3, 2)))
    assert found.gains[1] == pytest.approx(0.8, rel=3e-3)
    assert found.gains[2] == 1
    assert found.offsets[2] == 0


def test_saturated_stars_are_not_measured():
    (frame,) = night(np.zeros((1, 2)), np.ones(1), np.array([100.0]), np.array([1.5]))
    everything = find_stars(frame).xy
    level = 1500.0
    whole = find_stars(np.minimum(frame, level)).xy
    cores = [frame[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] for x, y in whole]
    peaks = np.array([core.max() for core in cores])
    assert 2 < len(whole) < len(everything)
    assert (peaks < level).all()
    noise = np.random.default_rng(0).normal(0, 1, (64, 64))
    assert len(find_stars(noise).xy) == 0
    assert len(find_stars(np.full((64, 64), 3.0)).xy) == 0


def scene(brightest: float = 0.8) -> torch.Tensor:
    blocks = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    levels = (0.1 + (brightest - 0.1) * blocks).clamp(max=1)
    return levels.repeat_interleave(16, 2).repeat_interleave(16, 3)


@pytest.mark.parametrize("brightest", [0.8, 1.0])  # the latter has white that is clipped
def test_exposures_of_photographs_are_evened_out(brightest: float):
    burst = Burst(scale=4, frames=6, blur_sigma=(0.5, 0.5))
    frames, (motion,) = burst.observe(scene(brightest), torch.Generator().manual_seed(1))
    gains = torch.tensor([1, 0.8, 1.15, 1, 0.93, 1.0])
    darker = ((frames[0] * gains[:, None, None, None]).clamp(max=1) * 255).round() / 255
    darker[3, :, 5:9, 5:9] = 1.0  # something passes by
    found = measure_brightness(Frames.of(darker), motion)
    np.testing.assert_allclose(found.gains, gains, rtol=2e-3)
    assert set(found.offsets) == {0}
    even = Frames.of(darker).levelled(found.gains, found.offsets).stack()
    torch.testing.assert_close(even[1], frames[0, 1], atol=0.01, rtol=0)


def test_frames_as_bright_as_each_other_are_left_alone():
    burst = Burst(scale=4, frames=6, blur_sigma=(0.3, 0.6))
    frames, (motion,) = burst.observe(scene(), torch.Generator().manual_seed(1))
    found = measure_brightness(Frames.of(frames[0]), motion)
    assert max(abs(gain - 1) for gain in found.gains) < 2e-3
    same = Frames.of(frames[0]).levelled([1.0] * 6, [0.0] * 6)
    assert torch.equal(same.stack(), frames[0])


def test_white_that_was_clipped_tells_nothing():
    frames = torch.tensor([0.5, 1.0]).expand(2, 1, 1, 2)
    even = Frames.of(frames).levelled([1.0, 1.25], [0.0, 0.0]).stack()
    assert even[0].tolist() == [[[0.5, 1.0]]]
    assert even[1, 0, 0, 0] == pytest.approx(0.4)
    assert even[1, 0, 0, 1].isnan()


def test_frames_of_white_are_left_as_they_are_with_a_word():
    frames = torch.full((2, 3, 16, 16), 0.9)
    frames[1] = 1.0
    with pytest.warns(UserWarning, match="frame 2: is fused as bright as it is"):
        found = measure_brightness(Frames.of(frames), Motion.of_shifts(torch.zeros(2, 2)))
    assert found.gains == (1.0, 1.0)

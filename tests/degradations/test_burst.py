"""Bursts against the places, the photons and the pixels that they promise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, map_coordinates

from srgan_lightning.degradations import Burst, Motion
from srgan_lightning.errors import UserError

CLEAN = {"read_noise": 0.0, "quantize": False}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def star(x, y, *, height=96, width=128, sigma=6.0):
    """A star of HR at (x, y) of LR."""
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distance = (u - (4 * x + 1.5)) ** 2 + (v - (4 * y + 1.5)) ** 2
    return torch.exp(-distance / (2 * sigma**2)).expand(1, 3, -1, -1).float()


def centre_of_light(frame):
    v, u = torch.meshgrid(*(torch.arange(side) for side in frame.shape), indexing="ij")
    light = frame.double()
    return torch.stack([(light * u).sum(), (light * v).sum()]) / light.sum()


@pytest.mark.parametrize(("seeing", "tolerance"), [(0.0, 2e-3), (0.5, 0.05)])
@given(x=st.floats(11, 20), y=st.floats(10, 13), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_a_star_lies_where_the_motion_says(seeing, tolerance, x, y, seed):
    """What bends within a star moves its centre a little, hence the second tolerance."""
    moves = {"shift": 2.0, "rotation": 5.0, "affine": 0.02, "seeing": seeing, "seeing_scale": 40.0}
    frames, (motion,) = Burst(frames=3, **moves, **CLEAN).observe(star(x, y), seeded(seed))
    for n, frame in enumerate(frames[0]):
        expected = motion.points(n, torch.tensor([x, y]))
        assert (centre_of_light(frame[0]) - expected).abs().max() < tolerance


def test_the_reference_is_not_moved():
    hr = torch.rand(2, 3, 32, 40, generator=seeded(0))
    burst = Burst(frames=3, rotation=2.0, affine=0.01, seeing=0.5, drift=0.2, blur_sigma=(0, 0))
    frames, motions = burst.observe(hr, seeded(1))
    assert frames.shape == (2, 3, 3, 8, 10)
    assert torch.equal(motions[0].matrices[0], torch.eye(3, dtype=torch.float64))
    assert not motions[1].flow[0].any()
    assert not torch.equal(motions[0].matrices[1], motions[1].matrices[1])
    plain = torch.nn.functional.avg_pool2d(hr, 4)
    assert (frames[:, 0] - plain).abs().max() < 6 / 255  # the noise


def test_equals_scipys_spline_gaussian_and_a_mean():
    generator = np.random.default_rng(0)
    hr = gaussian_filter(generator.random((64, 72)), 2)
    hr = (hr - hr.min()) / (hr.max() - hr.min())
    matrix = torch.tensor([[1.01, 0.02, 0.7], [-0.015, 0.99, -1.2], [0, 0, 1]]).double()
    motion = Motion(matrices=matrix[None])
    batch = torch.from_numpy(hr).float().expand(1, 3, -1, -1)
    frames, _ = Burst(blur_sigma=(0.5, 0.5), **CLEAN).observe(batch, motions=[motion])
    v, u = np.mgrid[-8:72, -8:80]
    places = np.stack([(u + 0.5) / 4 - 0.5, (v + 0.5) / 4 - 0.5, np.ones_like(u)])
    here = np.tensordot(np.linalg.inv(matrix.numpy()), places, 1)
    moved = map_coordinates(hr, (here[[1, 0]] + 0.5) * 4 - 0.5, order=3, mode="reflect")
    blurred = gaussian_filter(moved, 2.0, radius=5)[8:-8, 8:-8]
    expected = blurred.reshape(16, 4, 18, 4).mean((1, 3))
    np.testing.assert_allclose(frames[0, 0, 0].numpy(), expected, atol=1e-3)


def test_sixteen_phases_hold_every_mean_of_hr():
    """The sampling theorem's case: interleaved, they are HR through the pixel's aperture."""
    hr = torch.rand(1, 3, 32, 32, generator=seeded(0))
    shifts = torch.tensor([[-x / 4, -y / 4] for y in range(4) for x in range(4)])
    burst = Burst(blur_sigma=(0, 0), **CLEAN)
    frames, _ = burst.observe(hr, motions=[Motion.of_shifts(shifts)])
    fine = frames[0].view(4, 4, 3, 8, 8).permute(2, 3, 0, 4, 1).reshape(3, 32, 32)
    means = torch.nn.functional.avg_pool2d(hr[0], 4, stride=1)
    torch.testing.assert_close(fine[:, :29, :29], means, atol=1e-5, rtol=0)


def test_the_blur_is_drawn_per_picture_and_spreads_from_frame_to_frame():
    hr = torch.zeros(2, 3, 96, 96)
    hr[..., 48:] = 1
    still = [Motion.of_shifts(torch.zeros(6, 2))] * 2

    def width(frames):
        """How far the light of each frame's edge is spread, `[B, N]`."""
        slope = frames[:, :, 0, 12].diff().abs()
        place = torch.arange(23.0)
        centre = (slope * place).sum(-1, keepdim=True)
        return (slope * (place - centre) ** 2).sum(-1).sqrt()

    alike = Burst(blur_sigma=(0.3, 1.2), **CLEAN)
    widths = width(alike.observe(hr, seeded(1), motions=still)[0])
    assert (widths - widths[:, :1]).abs().max() < 1e-3
    assert (widths[0] - widths[1]).abs().min() > 0.03
    told = torch.tensor([0.8, 0.4])
    given, _ = alike.observe(hr, seeded(1), motions=still, sigma=told)
    pixel = (1 - 1 / 16) / 12 + 1 / 12  # the variance of the mean of four, and of a difference
    torch.testing.assert_close(
        width(given)[:, 0], (told**2 + pixel).sqrt(), atol=0.03, rtol=0, check_dtype=False
    )
    apart = Burst(blur_sigma=(0.8, 0.8), blur_spread=0.3, **CLEAN)
    widths = width(apart.observe(hr, seeded(1), motions=still)[0])
    assert widths[:, 0].tolist() == pytest.approx(width(given)[0, 0].repeat(2).tolist(), abs=2e-3)
    assert widths.std(dim=1).min() > 0.05


def test_noise_is_that_of_the_sensor():
    hr = torch.full((1, 3, 400, 400), 0.4)
    burst = Burst(frames=2, electrons=500.0, read_noise=3.0, quantize=False)
    frames, _ = burst.observe(hr, seeded(0))
    assert frames.var() == pytest.approx(0.4 / 500 + (3 / 255) ** 2, rel=0.03)
    assert frames.mean() == pytest.approx(0.4, abs=1e-3)


def test_defects_stay_or_strike_once_and_the_light_drifts():
    hr = torch.full((1, 3, 400, 400), 0.2)
    hot = Burst(frames=3, hot_pixels=0.01, **CLEAN).observe(hr, seeded(0))[0][0]
    assert torch.equal(hot[0], hot[2])
    assert (hot[0] > 0.4).float().mean() == pytest.approx(0.01, rel=0.3)
    rays = Burst(frames=3, cosmic_rays=0.01, **CLEAN).observe(hr, seeded(0))[0][0]
    struck = (rays > 0.4).float()
    assert struck[0].mean() == pytest.approx(0.03, rel=0.3)
    assert (struck[0] * struck[1]).mean() < 0.003
    drift = Burst(frames=20, drift=0.1, **CLEAN).observe(hr, seeded(0))[0][0]
    gains = drift.mean((1, 2, 3)) / 0.2
    assert gains[0] == pytest.approx(1)
    assert 0.9 <= gains.min() < 0.95
    assert 1.05 < gains.max() <= 1.1


def test_as_a_degradation_it_gives_the_reference():
    hr = torch.rand(1, 3, 32, 40, generator=seeded(0))
    lr = Burst(read_noise=0.0)(hr, seeded(3))
    assert torch.equal(lr, Burst(read_noise=0.0, frames=5).observe(hr, seeded(9))[0][:, 0])


@pytest.mark.parametrize("option", ["frames", "shift", "read_noise", "electrons", "seeing_scale"])
def test_an_option_out_of_bounds(option):
    with pytest.raises(UserError, match=rf"degradation\.{option}: must be .*at least"):
        Burst(**{option: -1})

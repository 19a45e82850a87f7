"""The grid loss sees what repeats with the up-sampler's period and what shifts, nothing else."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.losses import grid_loss


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(seed=st.integers(0, 99), period=st.integers(2, 5), shift=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_a_pattern_and_a_shift_count_as_what_they_are(seed, period, shift):
    cell = noise(seed, 1, 3, period, period)
    hr = noise(seed + 1, 2, 3, 8 * period, 6 * period)
    sr = hr + shift + cell.repeat(2, 1, 8, 6)
    expected = (cell + shift).abs().mean()
    torch.testing.assert_close(grid_loss(sr, hr, period=period), expected, atol=1e-5, rtol=1e-4)


def test_what_does_not_repeat_averages_out():
    hr = torch.zeros(1, 3, 128, 128)
    once = noise(0, *hr.shape)
    # A window's mean of 16 independent errors has a quarter of their deviation.
    assert grid_loss(once, hr) == pytest.approx(0.25 * float(once.abs().mean()), rel=0.05)
    again = noise(1, 1, 3, 4, 4).repeat(1, 1, 32, 32)
    assert grid_loss(again, hr) > 0.8 * again.abs().mean()


def test_a_grid_that_hr_has_too_is_none():
    hr = torch.tensor([0.0, 0.1, 0.0, 0.2]).repeat(16).expand(1, 3, 64, 64)
    assert grid_loss(hr, hr) == 0
    assert grid_loss(torch.full_like(hr, 0.075), hr) > 0.05


def test_descending_takes_the_grid_away_and_leaves_the_rest():
    hr = noise(0, 1, 3, 64, 64)
    rest = 0.2 * noise(1, 1, 3, 16, 16).repeat_interleave(4, 2).repeat_interleave(4, 3)
    pattern = 0.05 * noise(2, 1, 3, 4, 4).repeat(1, 1, 16, 16)
    sr = (hr + rest + pattern).requires_grad_()
    optimizer = torch.optim.Adam([sr], lr=1e-3)
    for _ in range(200):
        optimizer.zero_grad()
        grid_loss(sr, hr).backward()
        optimizer.step()
    left = (sr - hr).detach()
    assert grid_loss(left, torch.zeros_like(left)) < 0.1 * grid_loss(pattern, hr * 0)
    assert torch.corrcoef(torch.stack([left.flatten(), rest.flatten()]))[0, 1] > 0.9


def test_small_pictures_are_one_window():
    sr = noise(0, 1, 1, 8, 8)
    assert grid_loss(sr, torch.zeros_like(sr)) > 0
    assert grid_loss(torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)) == 1

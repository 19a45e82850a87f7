"""The figures that judge trained weights, on patches and skies whose answer is known."""

import numpy as np
import pytest
from flatness import PATCH, grid_power
from numpy.typing import NDArray
from pretrained import _compare

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.inference.pictures import to_picture, to_tensor

Luma = NDArray[np.float64]


def patches(seed: int = 0) -> Luma:
    """Slopes with grain of one level."""
    random = np.random.default_rng(seed)
    slopes = random.uniform(-8, 8, (200, 1, 1)) * np.linspace(-1, 1, PATCH)
    return np.asarray(120 + slopes + random.normal(0, 1, (200, PATCH, PATCH)))


def test_grain_and_shading_are_no_grid():
    line, between = grid_power(patches())
    assert line == pytest.approx(1 / PATCH**2, rel=0.15)
    assert between == pytest.approx(line, rel=0.15)


@pytest.mark.parametrize("sign", ["the same", "turned from patch to patch"])
@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_a_painted_grid_has_more_energy(axis: str, period: int, sign: str):
    grid = np.where(np.arange(PATCH) % period == 0, 2.0, 0.0)
    grid = grid[:, None] if axis == "rows" else grid[None]
    signs = np.ones(200) if sign == "the same" else np.resize([1, -1], 200)
    line, between = grid_power(patches() + signs[:, None, None] * grid)
    clean, _ = grid_power(patches())
    assert line > 3 * clean
    assert line > 3 * between


def test_a_wave_of_another_period_is_no_grid():
    wave = 2 * np.sin(2 * np.pi * np.arange(PATCH) * 6 / PATCH)
    assert grid_power(patches() + wave)[0] == pytest.approx(grid_power(patches())[0], rel=0.05)


PLACES = np.stack(np.meshgrid(np.arange(30, 240, 40.0), np.arange(25, 240, 40.0)), -1).reshape(
    -1, 2
)


def night(places: Luma) -> Luma:
    """A dark sky with round stars."""
    rows, columns = np.mgrid[:256, :256]
    sky = 12 + np.random.default_rng(3).normal(0, 0.8, (256, 256))
    for x, y in places:
        sky += 180 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
    return np.asarray(sky.clip(0, 255).round())


def compared(sr: Luma, hr: Luma) -> tuple[int, int, int, int]:
    """Return stars of SR, false ones, bright ones of HR, those of them that SR has."""
    picture = np.repeat(hr[..., None], 3, axis=2).astype(np.uint8)
    lr = to_picture(DEGRADATIONS.build("bicubic", {}, scale=4)(to_tensor(picture)))
    return _compare(hr, sr, lr[..., 0].astype(float))[:4]


def test_painted_stars_are_found():
    hr, count = night(PLACES), len(PLACES)
    assert compared(hr, hr) == (count, 0, count, count)


def test_lost_and_invented_stars_are_counted():
    hr, count = night(PLACES), len(PLACES)
    assert compared(night(PLACES[9:]), hr) == (count - 9, 0, count, count - 9)
    more = np.concatenate([PLACES, np.add(PLACES[:4], [20, 15])])
    assert compared(night(more), hr) == (count + 4, 4, count, count)


def test_a_star_that_moved_far_is_another():
    hr, count = night(PLACES), len(PLACES)
    assert compared(night(np.add(PLACES, [6, 0])), hr) == (count, count, count, 0)

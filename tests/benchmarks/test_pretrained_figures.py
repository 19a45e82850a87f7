"""The figures that judge trained weights, on pictures whose answer is known."""

import numpy as np
import pytest
import torch
from flatness import Flatness
from stars import Stars
from torch import Tensor

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.inference.pictures import to_tensor


def flat_picture(seed: int = 0) -> Tensor:
    """A slope with grain of one level."""
    grain = torch.randn(1, 1, 136, 136, generator=torch.Generator().manual_seed(seed))
    slope = torch.linspace(100, 140, 136)
    return ((slope + grain) / 255).expand(1, 3, 136, 136)


def measured(sr: Tensor, hr: Tensor) -> dict[str, float]:
    flatness = Flatness()
    flatness.update(sr, hr)
    return flatness.figures()


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("axis", [-1, -2])
def test_a_painted_grid_has_more_energy(period: int, axis: int):
    hr = flat_picture()
    line = (torch.arange(136) % period == 0).float()
    grid = line if axis == -1 else line[:, None]
    clean, painted = measured(flat_picture(1), hr), measured(hr + grid * 2 / 255, hr)
    assert clean["grid"] == pytest.approx(1, rel=0.3)
    assert clean["peak"] == pytest.approx(1, rel=0.3)
    assert painted["grid"] > 2 * clean["grid"]
    assert painted["peak"] > 2 * painted["peak_hr"]


def test_a_wave_of_another_period_is_no_grid():
    hr = flat_picture()
    wave = 2 * torch.sin(torch.arange(136) * 2 * torch.pi * 2 / 16) / 255
    figures = measured(hr + wave, hr)
    assert figures["grid"] == pytest.approx(1, rel=0.3)
    assert figures["deviation"] > figures["deviation_hr"] + 0.3


def test_shading_is_no_grid():
    hr = flat_picture()
    steep = torch.linspace(-1, 1, 136)[:, None] * 20 / 255
    assert measured(hr + steep, hr)["grid"] == pytest.approx(1, rel=0.1)


def test_only_flat_windows_count():
    half = flat_picture()
    half = torch.cat([half, torch.rand(1, 3, 136, 136)], dim=-1)
    assert measured(half, half)["windows"] == 64


def night(places: np.ndarray, *, flux: float = 180.0) -> Tensor:
    """A dark sky with round stars, as HR."""
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[:256, :256]
    sky = 12 + random.normal(0, 0.8, (256, 256))
    for x, y in places:
        sky += flux * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
    return to_tensor(np.repeat(sky.clip(0, 255).round()[..., None], 3, axis=2).astype(np.uint8))


def counted(sr: Tensor, hr: Tensor) -> dict[str, float]:
    stars = Stars()
    stars.update(sr, hr, DEGRADATIONS.build("bicubic", {}, scale=4)(hr))
    return stars.figures()


PLACES = np.stack(np.meshgrid(np.arange(30, 240, 40.0), np.arange(25, 240, 40.0)), -1).reshape(
    -1, 2
)


def test_painted_stars_are_found():
    hr = night(PLACES)
    figures = counted(hr, hr)
    assert figures == {"stars_found": 1, "stars_false": 0, "stars": len(PLACES)}


def test_lost_and_invented_stars_are_counted():
    hr, lost = night(PLACES), PLACES[9:]
    assert counted(night(lost), hr)["stars_found"] == pytest.approx(1 - 9 / len(PLACES))
    more = np.concatenate([PLACES, np.add(PLACES[:4], [20, 15])])
    assert counted(night(more), hr)["stars_false"] == pytest.approx(4 / len(more))


def test_a_star_moved_by_an_lr_pixel_is_another():
    hr = night(PLACES)
    figures = counted(night(np.add(PLACES, [4, 0])), hr)
    assert (figures["stars_found"], figures["stars_false"]) == (0, 1)

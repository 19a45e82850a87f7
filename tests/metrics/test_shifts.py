"""Brightness and colour shift against NumPy."""

import numpy as np
import pytest
import torch

from srgan_lightning.errors import UserError
from srgan_lightning.metrics import brightness_shift, colour_shift

MATLAB = np.array(  # rgb2ycbcr
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
)


def pair():
    draws = torch.Generator().manual_seed(3)
    hr = torch.rand(3, 3, 30, 25, generator=draws)
    return (hr + 0.2 * torch.randn(hr.shape, generator=draws)), hr


@pytest.mark.parametrize("crop", [0, 4])
def test_shifts_are_the_lengths_of_the_mean_difference(crop):
    sr, hr = pair()
    inner = slice(crop, -crop or None)
    for index in range(3):
        levels = [
            np.rint(np.clip(image[index].double().numpy(), 0, 1) * 255)[:, inner, inner]
            for image in (sr, hr)
        ]
        y, cb, cr = MATLAB @ (levels[0].mean((1, 2)) - levels[1].mean((1, 2))) / 255
        assert brightness_shift(sr, hr, crop=crop)[index].item() == pytest.approx(y, abs=1e-9)
        expected = pytest.approx(np.hypot(cb, cr), abs=1e-9)
        assert colour_shift(sr, hr, crop=crop)[index].item() == expected


def test_a_brighter_grey_has_no_tint_and_a_tint_no_brightness():
    grey = torch.full((1, 3, 20, 20), 100 / 255)
    assert brightness_shift(grey + 10 / 255, grey).item() == pytest.approx(10 * 219 / 255)
    assert colour_shift(grey + 10 / 255, grey).item() == pytest.approx(0, abs=1e-9)
    assert brightness_shift(grey - 10 / 255, grey).item() < 0
    blue = grey.clone()
    blue[:, 2] += 10 / 255
    assert colour_shift(blue, grey).item() == pytest.approx(np.hypot(112, 18.214) * 10 / 255)


@pytest.mark.parametrize("figure", [brightness_shift, colour_shift])
def test_unfit_pictures_are_refused(figure):
    sr, hr = pair()
    with pytest.raises(UserError, match="same size"):
        figure(sr[..., 1:], hr)
    with pytest.raises(UserError, match="too small"):
        figure(sr, hr, crop=13)

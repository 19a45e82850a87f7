"""Blur and plain bicubic against scipy, kornia and a NumPy transcription."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kornia.filters import gaussian_blur2d
from scipy.ndimage import convolve, gaussian_filter

from srgan_lightning.degradations import BlurBicubic
from srgan_lightning.degradations.blur import anisotropic_blur, gaussian_blur, gaussian_radius


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def plain_bicubic(image, scale):
    """Keys' cubic with a = −0.75 on four neighbours, edge pixels repeated; `[H, W]`."""
    a = -0.75

    def weight(t):
        t = abs(t)
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    for axis in (0, 1):
        lines = np.moveaxis(image, axis, 0)
        reduced = []
        for i in range(len(lines) // scale):
            centre = (i + 0.5) * scale - 0.5
            first = int(np.floor(centre)) - 1
            taps = range(first, first + 4)
            reduced.append(
                sum(weight(centre - t) * lines[min(max(t, 0), len(lines) - 1)] for t in taps)
            )
        image = np.moveaxis(np.stack(reduced), 0, axis)
    return image


def scipy_blur(image, sigma):
    return gaussian_filter(image, sigma, radius=gaussian_radius(sigma), mode="mirror")


@given(
    height=st.integers(5, 12),
    width=st.integers(5, 12),
    scale=st.sampled_from([2, 3, 4]),
    sigma=st.sampled_from([0.4, 1.0, 1.6, 2.0]),
)
@settings(max_examples=25, deadline=None)
def test_equals_scipys_gaussian_then_a_plain_bicubic(height, width, scale, sigma):
    hr = noise(1, 3, height * scale, width * scale)
    lr = BlurBicubic(scale=scale, sigma=sigma, quantize=False)(hr)
    for channel, image in zip(lr[0], hr[0].double().numpy(), strict=True):
        expected = plain_bicubic(scipy_blur(image, sigma), scale).clip(0, 1)
        np.testing.assert_allclose(channel.numpy(), expected, atol=2e-6)


def test_quantize_rounds_the_same_picture():
    hr = noise(1, 3, 32, 32)
    exact, rounded = BlurBicubic(quantize=False)(hr), BlurBicubic()(hr)
    torch.testing.assert_close(rounded, (exact * 255).round() / 255)


def test_a_range_draws_within_its_bounds_for_each_image():
    hr = noise(1, 3, 64, 64).expand(16, -1, -1, -1)
    contrast = BlurBicubic(sigma=(0.5, 2.0), quantize=False)(hr).std((1, 2, 3))
    sharpest, softest = (BlurBicubic(sigma=s, quantize=False)(hr[:1]).std() for s in (0.5, 2.0))
    assert (contrast <= sharpest + 1e-5).all()
    assert (contrast >= softest - 1e-5).all()
    assert contrast.unique().numel() == 16


def test_a_range_of_one_value_is_that_value():
    hr = noise(2, 3, 32, 40)
    assert torch.equal(BlurBicubic(sigma=(1.3, 1.3))(hr), BlurBicubic(sigma=1.3)(hr))


def test_sigma_0_does_not_blur():
    hr = noise(1, 3, 16, 16)
    expected = plain_bicubic(hr[0, 0].double().numpy(), 4).clip(0, 1)
    lr = BlurBicubic(sigma=0.0, quantize=False)(hr)
    np.testing.assert_allclose(lr[0, 0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(("sigma", "radius"), [(0.1, 1), (1.0, 3), (1.6, 4), (3.0, 8)])
def test_the_kernel_follows_sigma(sigma, radius):
    assert gaussian_radius(sigma) == radius


def test_the_blur_is_kornias():
    image, sigma = noise(3, 3, 20, 25), torch.tensor([0.5, 1.2, 2.0])
    expected = gaussian_blur2d(image, (11, 11), sigma[:, None].expand(3, 2))
    torch.testing.assert_close(gaussian_blur(image, sigma, radius=5), expected)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_an_elliptic_blur_is_the_convolution_with_its_kernel(degrees):
    image, (first, second) = noise(1, 1, 24, 30), (2.0, 0.6)
    turn = np.deg2rad(degrees)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    precision = axes.T @ np.diag([first**-2, second**-2]) @ axes
    kernel = np.array(
        [
            [np.exp(-np.array([x, y]) @ precision @ np.array([x, y]) / 2) for x in range(-5, 6)]
            for y in range(-5, 6)
        ]
    )
    expected = convolve(image[0, 0].double().numpy(), kernel / kernel.sum(), mode="mirror")
    blurred = anisotropic_blur(
        image, torch.tensor([[first, second]]), torch.tensor([turn]).float(), radius=5
    )
    np.testing.assert_allclose(blurred[0, 0].numpy(), expected, atol=1e-6)


def test_an_ellipse_with_equal_axes_is_round():
    image, sigma = noise(2, 3, 20, 20), torch.tensor([0.8, 1.6])
    elliptic = anisotropic_blur(
        image, sigma[:, None].expand(2, 2), torch.tensor([0.3, 2.0]), radius=4
    )
    torch.testing.assert_close(elliptic, gaussian_blur(image, sigma, radius=4))

"""Each part of the classical model by itself."""

import dataclasses

import pytest
import torch

from srgan_lightning.degradations import Classical, imresize
from srgan_lightning.degradations.blur import gaussian_blur
from srgan_lightning.degradations.jpeg import jpeg

CLEAN = Classical(
    blur_sigma=(0.01, 0.01), noise_sigma=(0.0, 0.0), jpeg_quality=None, resize=("cubic",)
)


def scene(batch=1, side=64):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, side, side, generator=generator).expand(batch, -1, -1, -1)


def rounded(image):
    return image.clamp(0, 1).mul(255).round() / 255


@pytest.mark.parametrize("kernel", ["box", "triangle", "cubic", "lanczos3"])
def test_without_the_rest_it_is_imresize(kernel):
    lr = dataclasses.replace(CLEAN, resize=(kernel,))(scene())
    expected = rounded(imresize(scene(), scale=0.25, kernel=kernel))
    torch.testing.assert_close(lr, expected, atol=1.01 / 255, rtol=0)
    assert (lr - expected).abs().gt(0.5 / 255).float().mean() < 1e-3


def test_the_resize_kernel_is_drawn_per_image():
    kernels = ("box", "cubic")
    hr = scene(batch=32)
    lr = dataclasses.replace(CLEAN, resize=kernels)(hr, torch.Generator().manual_seed(0))
    singles = [dataclasses.replace(CLEAN, resize=(kernel,))(hr[:1])[0] for kernel in kernels]
    counts = [sum(torch.allclose(image, single) for image in lr) for single in singles]
    assert sum(counts) == 32
    assert min(counts) > 5


def test_round_blurs_are_gaussian():
    blurring = dataclasses.replace(CLEAN, blur_sigma=(1.5, 1.5), anisotropic=0.0)
    blurred = gaussian_blur(scene(), torch.tensor([1.5]), radius=4)
    expected = rounded(imresize(blurred, scale=0.25))
    torch.testing.assert_close(blurring(scene()), expected, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize(("anisotropic", "least", "most"), [(0, 0, 0), (0.5, 8, 24), (1, 26, 32)])
def test_the_share_of_ellipses(anisotropic, least, most):
    """A round blur of a picture that is its own transpose leaves it so; an ellipse does not."""
    coarse = scene(side=16).gt(0.5).repeat_interleave(4, -1).repeat_interleave(4, -2)
    hr = (coarse | coarse.mT).float().expand(32, -1, -1, -1)
    blurring = dataclasses.replace(CLEAN, blur_sigma=(0.5, 3.0), anisotropic=anisotropic)
    lr = blurring(hr, torch.Generator().manual_seed(0))
    uneven = (lr - lr.mT).abs().amax((1, 2, 3)) > 1.5 / 255
    assert least <= uneven.sum() <= most  # a few ellipses are nearly round


def test_noise_has_the_drawn_strength():
    noisy = dataclasses.replace(CLEAN, noise_sigma=(10.0, 10.0))
    grey = torch.full((4, 3, 256, 256), 0.5)
    assert noisy(grey).sub(0.5).mul(255).std((1, 2, 3)).tolist() == pytest.approx(
        [10] * 4, rel=0.05
    )
    drawn = dataclasses.replace(CLEAN, noise_sigma=(2.0, 20.0))(grey).mul(255).std((1, 2, 3))
    assert (drawn > 1.8).all()
    assert (drawn < 21).all()
    assert drawn.max() - drawn.min() > 1


def test_jpeg_comes_last():
    lr = dataclasses.replace(CLEAN, jpeg_quality=(40.0, 40.0))(scene())
    reduced = imresize(scene(), scale=0.25).clamp(0, 1)
    expected = jpeg(reduced, torch.tensor([40.0]))
    assert (lr - expected).abs().mean() < 0.5 / 255

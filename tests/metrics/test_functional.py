"""The figures against a plain transcription of the protocol, scikit-image and published values."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from srgan_lightning.errors import UserError
from srgan_lightning.metrics import (
    high_frequency_energy,
    psnr,
    quantize,
    sharpness,
    ssim,
    to_y,
)

EVAL = Path(__file__).parents[2] / "../shared/data/eval"

needs_eval = pytest.mark.skipif(not EVAL.is_dir(), reason="../shared is absent")


def pair(seed=0, height=40, width=33, batch=1):
    generator = torch.Generator().manual_seed(seed)
    hr = torch.rand(batch, 3, height, width, generator=generator).mul(255).round() / 255
    sr = hr + 0.1 * torch.randn(hr.shape, generator=generator)
    return sr, hr


def picture(image):
    return np.rint(np.clip(image[0].double().numpy(), 0, 1) * 255).transpose(1, 2, 0)


def numpy_y(rgb):
    return (rgb @ np.array([65.481, 128.553, 24.966]) / 255 + 16)[..., None]


def numpy_psnr(sr, hr, crop, space):
    sr, hr = (image[crop : len(image) - crop, crop : image.shape[1] - crop] for image in (sr, hr))
    if space == "y":
        sr, hr = numpy_y(sr), numpy_y(hr)
    return 10 * np.log10(255**2 / np.mean((sr - hr) ** 2))


@pytest.mark.parametrize("space", ["y", "rgb"])
@given(height=st.integers(11, 40), width=st.integers(11, 40), crop=st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_psnr_is_the_protocols(space, height, width, crop):
    sr, hr = pair(height * width, height, width)
    expected = numpy_psnr(picture(sr), picture(hr), crop, space)
    assert psnr(sr, hr, crop=crop, space=space).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("space", ["y", "rgb"])
@pytest.mark.parametrize("crop", [0, 4, 6])
def test_ssim_is_scikit_images(space, crop):
    sr, hr = pair(height=47, width=38)
    inner = slice(crop, -crop or None)
    images = [picture(image)[inner, inner] for image in (sr, hr)]
    if space == "y":
        images = [numpy_y(image) for image in images]
    _, full = structural_similarity(
        *images,
        data_range=255,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = full[5:-5, 5:-5].mean()  # whole windows only
    assert ssim(sr, hr, crop=crop, space=space).item() == pytest.approx(expected, abs=1e-9)


def test_luma_spans_16_to_235():
    corners = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]).view(3, 1, 2)
    assert to_y(corners).flatten().tolist() == pytest.approx([16, 235])
    assert to_y(torch.rand(2, 3, 4, 5)).shape == (2, 1, 4, 5)


def test_quantize_rounds_and_clamps():
    assert quantize(torch.tensor([-0.1, 0.4 / 255, 0.6 / 255, 1.5])).tolist() == [0, 0, 1, 255]


def test_equal_pictures_are_infinitely_good():
    _, hr = pair()
    assert psnr(hr, hr).item() == float("inf")
    assert psnr(hr + 0.4 / 255, hr).item() == float("inf")  # equal once rounded
    assert ssim(hr, hr).item() == pytest.approx(1)
    assert sharpness(hr, hr).item() == 1


@pytest.mark.parametrize("figure", [psnr, ssim, sharpness])
def test_a_batch_gives_each_images_figure(figure):
    sr, hr = pair(batch=3)
    singles = [figure(sr[i : i + 1], hr[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(figure(sr, hr), torch.cat(singles), rtol=1e-12, atol=0)


@pytest.mark.parametrize("figure", [psnr, ssim, sharpness])
def test_other_sizes_are_refused_in_one_line(figure):
    sr, hr = pair()
    with pytest.raises(UserError, match="same size, got 40x32 and 40x33"):
        figure(sr[..., :-1], hr)


@pytest.mark.parametrize(("figure", "side"), [(psnr, 8), (ssim, 18), (sharpness, 10)])
def test_too_small_pictures_are_refused_in_one_line(figure, side):
    sr, hr = pair(height=side, width=40)
    with pytest.raises(UserError, match=f"{side}x40 is too small"):
        figure(sr, hr)


def test_sharpness_falls_with_blur_and_rises_with_noise():
    _, hr = pair(height=64, width=64)
    blurred = [
        torch.from_numpy(gaussian_filter(hr.numpy(), (0, 0, sigma, sigma))) for sigma in (0.5, 1.0)
    ]
    slightly, strongly = (sharpness(image, hr).item() for image in blurred)
    assert 0 <= strongly < slightly < 1
    assert sharpness(hr + 0.1 * torch.randn(hr.shape), hr).item() > 1


def test_sharpness_of_flat_pictures_is_finite():
    grey = torch.full((1, 3, 32, 32), 0.5)
    assert sharpness(grey, grey).item() == 1


@pytest.mark.parametrize(
    ("frequency", "share"),
    [((0, 3 / 64), 0), ((7 / 64, 0), 0), ((0, 20 / 64), 1), ((0.25, 0.1), 1)],
)
def test_energy_counts_only_what_lr_cannot_hold(frequency, share):
    y, x = torch.meshgrid(torch.arange(256.0), torch.arange(256.0), indexing="ij")
    wave = torch.cos(2 * torch.pi * (frequency[0] * y + frequency[1] * x))
    image = (0.5 + 0.4 * wave).expand(1, 3, -1, -1)
    variance = (0.4 * (65.481 + 128.553 + 24.966)) ** 2 / 2
    energy = high_frequency_energy(image).item() / variance
    assert energy == pytest.approx(share, abs=0.01)


def read(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(np.float64)


def read_hr(path):
    array = read(path)
    return array[: len(array) // 4 * 4, : array.shape[1] // 4 * 4]


def tensor(array):
    return torch.from_numpy(array / 255).permute(2, 0, 1)[None]


def enlarge_axis(array):
    """Enlarge the first axis four times as MATLAB does (a = −0.5), written for x4 alone."""
    padded = np.concatenate([array[1::-1], array, array[:-3:-1]])
    result = np.zeros((4 * len(array), *array.shape[1:]))
    for phase, shift in enumerate((-0.375, -0.125, 0.125, 0.375)):
        for tap in range(-2, 3):
            t = abs(tap - shift)
            near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
            weight = near if t <= 1 else far if t <= 2 else 0
            result[phase::4] += weight * padded[2 + tap : 2 + tap + len(array)]
    return result


def bicubic(lr):
    return enlarge_axis(enlarge_axis(lr).transpose(1, 0, 2)).transpose(1, 0, 2)


@needs_eval
def test_bicubic_on_set5_gives_the_published_figures():
    rows = []
    for path in sorted((EVAL / "Set5").iterdir()):
        sr, hr = tensor(bicubic(read(EVAL / "Set5_LRbicx4" / path.name))), tensor(read_hr(path))
        rows.append([f(sr, hr, space=s).item() for s in ("y", "rgb") for f in (psnr, ssim)])
    means = np.mean(rows, axis=0)
    assert len(rows) == 5
    assert means == pytest.approx([28.4305, 0.8113, 26.6947, 0.7734], abs=6e-5)


@needs_eval
def test_the_usual_slips_give_other_figures():
    path = EVAL / "Set5" / "head.png"
    sr, hr = tensor(bicubic(read(EVAL / "Set5_LRbicx4" / path.name))), tensor(read_hr(path))
    right = psnr(sr, hr).item()
    rounded, exact = quantize(sr) / 255, hr.double()
    luma = [to_y(image)[..., 4:-4, 4:-4] for image in (rounded, exact)]
    slips = {
        "no crop": psnr(sr, hr, crop=0),
        "crop 6": psnr(sr, hr, crop=6),
        "RGB": psnr(sr, hr, space="rgb"),
        "truncated": psnr((sr.clamp(0, 1) * 255).floor() / 255, hr),
        "rounded Y": 10 * torch.log10(255**2 / (luma[0].round() - luma[1].round()).square().mean()),
    }
    for name, value in slips.items():
        assert abs(value.item() - right) > 1e-3, name

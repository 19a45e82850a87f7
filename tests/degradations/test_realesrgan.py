"""Real-ESRGAN's degradation: kernels and noise against formulas, and what the options do."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.special
import torch
from torch.nn import functional as F

from srgan_lightning.degradations import DEGRADATIONS, RealESRGAN
from srgan_lightning.degradations.blur_kernels import bell_kernel, pulse, sinc_kernel
from srgan_lightning.degradations.draws import choose, draw_around_one
from srgan_lightning.degradations.jpeg import jpeg
from srgan_lightning.degradations.noise import add_noise, gaussian_noise, poisson_noise
from srgan_lightning.degradations.realesrgan import FIRST, SECOND
from srgan_lightning.errors import UserError


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def photograph(batch, side):
    coarse = torch.rand(batch, 3, 8, 8, generator=seeded(side))
    return F.interpolate(coarse, side, mode="bilinear").mul(255).round().div(255)


@pytest.mark.parametrize(("cutoff", "size"), [(math.pi / 3, 21), (math.pi, 7), (2.0, 13)])
def test_the_sinc_filter_is_bessels(cutoff, size):
    y, x = np.mgrid[-10:11, -10:11]
    r = np.hypot(x, y)
    r[10, 10] = 1e-9
    expected = cutoff * scipy.special.j1(cutoff * r) / (2 * np.pi * r)
    expected[np.maximum(abs(x), abs(y)) > size // 2] = 0
    found = sinc_kernel(torch.tensor([cutoff]), torch.tensor([size]), radius=10)[0]
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-6)


@pytest.mark.parametrize("plateau", [False, True])
@pytest.mark.parametrize("beta", [1.0, 0.5, 3.5])
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_bells_follow_the_papers_covariance(plateau, beta, angle):
    sigmas = (2.5, 0.8)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    precision = np.linalg.inv(turn @ np.diag(np.square(sigmas)) @ turn.T)
    expected = np.zeros((21, 21))
    for y in range(-7, 8):
        for x in range(-7, 8):
            q = np.array([x, y]) @ precision @ np.array([x, y])
            expected[y + 10, x + 10] = 1 / (1 + q**beta) if plateau else np.exp(-0.5 * q**beta)
    found = bell_kernel(
        torch.tensor([sigmas]),
        torch.tensor([angle]),
        torch.tensor([beta]),
        torch.tensor([plateau]),
        torch.tensor([15]),
        radius=10,
    )[0]
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-6)


def test_drawn_kernels_are_of_the_published_kinds():
    degradation = RealESRGAN()
    like = torch.zeros(4000, 1, 1, 1)
    kernels = degradation._kernel(SECOND, like, seeded(0))
    torch.testing.assert_close(kernels.sum((1, 2)), torch.ones(4000), atol=1e-4, rtol=0)
    assert torch.isfinite(kernels).all()
    still = (kernels == pulse(10, like)).all((1, 2)).float().mean()
    assert still == pytest.approx(0.2, abs=0.03)
    waves = (kernels < -1e-4).any((1, 2)).float().mean()
    assert waves == pytest.approx(0.8 * 0.1, abs=0.02)
    reach = (kernels[:, 10] != 0).sum(1)
    assert set(reach.tolist()) <= {1, *range(3, 22)}
    first = degradation._kernel(FIRST, like, seeded(0))
    assert not (first == pulse(10, like)).all((1, 2)).float().mean() > 0.05
    last = degradation._last_kernel(like, seeded(0))
    assert (last < -1e-4).any((1, 2)).float().mean() == pytest.approx(0.8, abs=0.03)
    sizes = degradation._size(like, seeded(0))
    assert sizes.unique().tolist() == [7, 9, 11, 13, 15, 17, 19, 21]


def test_choices_and_factors_keep_their_shares():
    image = torch.zeros(20_000, 1)
    shares = choose(FIRST.resize_shares, image, seeded(0)).bincount() / 20_000
    assert shares.tolist() == pytest.approx([0.2, 0.7, 0.1], abs=0.01)
    up = torch.arange(20_000) < 10_000
    factors = draw_around_one((0.15, 1.5), up, image, seeded(0))
    assert factors[up].aminmax() == pytest.approx((1, 1.5), abs=1e-3)
    assert factors[~up].aminmax() == pytest.approx((0.15, 1), abs=1e-3)


def test_gaussian_noise_has_its_sigma():
    image = torch.full((2, 3, 128, 128), 0.5)
    noise = gaussian_noise(image, torch.tensor([1.0, 30.0]), seeded(0)) * 255
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([1.0, 30.0], rel=0.02)
    assert noise.mean((1, 2, 3)).abs().max() < 0.5


def test_poisson_noise_grows_with_the_light():
    ramp = (torch.arange(256.0) / 255).expand(1, 3, 512, 256)  # 256 levels: v = 256
    noise = poisson_noise(ramp, torch.tensor([2.0]), torch.tensor([False]), seeded(0))
    found = noise.var((0, 1, 2))
    torch.testing.assert_close(found, 4 * ramp[0, 0, 0] / 256, rtol=0.2, atol=1e-7)
    few = torch.tensor([0.0, 0.5, 1.0]).repeat(300).expand(1, 3, 300, 900)  # 3 levels: v = 4
    noise = poisson_noise(few, torch.tensor([1.0]), torch.tensor([False]), seeded(0))
    bright = noise[..., 2::3]
    assert bright.var().item() == pytest.approx(1 / 4, rel=0.02)
    assert set(torch.round(4 * bright).int().unique().tolist()) <= set(range(-4, 30))


def test_each_image_has_its_own_kind_of_noise():
    image = photograph(1, 64).expand(4, -1, -1, -1) * 0.4 + 0.3
    noisy = add_noise(
        image,
        gaussian=torch.tensor([True, True, False, False]),
        sigma=torch.full((4,), 5.0),
        poisson_scale=torch.full((4,), 1.0),
        grey=torch.tensor([False, True, False, True]),
        generator=seeded(0),
    )
    noise = noisy - image
    alike = (noise - noise[:, :1]).abs().amax((1, 2, 3)) < 1e-6
    assert alike.tolist() == [False, True, False, True]
    assert noise[:2].std((1, 2, 3)).tolist() == pytest.approx([5 / 255] * 2, rel=0.1)
    bright, dark = image[2, 1] > 0.55, image[2, 1] < 0.4
    assert noise[2, 1][bright].var() > 1.15 * noise[2, 1][dark].var()


QUIET = {
    "blur": 0.0,
    "resize": (1.0, 1.0),
    "noise_sigma": (0.0, 0.0),
    "jpeg_quality": (100.0, 100.0),
}


def test_without_blur_noise_and_factors_two_compressions_are_left():
    quiet = RealESRGAN(
        first=dataclasses.replace(FIRST, **QUIET),
        second=dataclasses.replace(SECOND, **QUIET),
        gaussian_noise=1.0,
        final_sinc=0.0,
    )
    hr = F.interpolate(torch.rand(12, 3, 24, 24, generator=seeded(1)), 64, mode="bilinear")
    quality = torch.full((12,), 100.0)
    once = jpeg(hr, quality)
    expected = [
        jpeg(F.interpolate(once, 16, mode=mode).clamp(0, 1), quality)
        for mode in ("area", "bilinear", "bicubic")
    ]
    lr = quiet(hr, seeded(0))
    distances = torch.stack([(lr - e).abs().mean((1, 2, 3)) for e in expected])
    nearest, second, _ = distances.sort(0).values
    assert nearest.max() < 0.5 / 255  # ties that the JPEG's rounding decides
    assert second.min() > 3 / 255
    assert len(distances.argmin(0).unique()) == 3, "each method is drawn for some image"


def test_brightness_stays_and_detail_goes():
    degradation = RealESRGAN()
    hr = photograph(48, 64)
    lr = degradation(hr, seeded(0))
    shift = lr.mean((1, 2, 3)) - hr.mean((1, 2, 3))
    assert shift.mean().abs() < 0.01
    assert shift.abs().median() < 0.02
    errors = (lr - F.interpolate(hr, 16, mode="area")).square().mean((1, 2, 3)).sqrt()
    assert 0.02 < errors.median() < 0.2
    assert errors.max() > 1.5 * errors.min()


@pytest.mark.parametrize("side", [4, 12, 20])
def test_even_tiny_pictures_are_degraded(side):
    lr = RealESRGAN()(photograph(6, 64)[..., :side, : 2 * side], seeded(0))
    assert lr.shape == (6, 3, side // 4, side // 2)
    assert torch.isfinite(lr).all()


def nested(round_, **options):
    return {"first": dataclasses.asdict(dataclasses.replace(round_, **options))}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": [8, 21]}, "kernel_size: must be odd; got [8, 21]"),
        ({"kernel_shares": [0] * 6}, "kernel_shares: must be numbers of 0 or more"),
        ({"kernel_shares": [1.0]}, "kernel_shares"),
        ({"beta_plateau": [1.5, 2]}, "beta_plateau: must reach from 1 or less to 1 or more"),
        ({"sinc": 1.5}, "sinc: must be from 0 to 1; got 1.5"),
        (nested(FIRST, resize=(0.2, 0.9)), "first.resize: must reach from 1 or less"),
        (nested(FIRST, jpeg_quality=(0, 9)), "first.jpeg_quality: must be two rising numbers"),
        (nested(FIRST, resize_shares=(-1, 1, 1)), "first.resize_shares: must be numbers"),
        ({"first": {"blur": 1.0}}, "first.blur_sigma: is required and not set"),
        ({"first": {**dataclasses.asdict(FIRST), "noise": 1}}, "first.noise"),
    ],
)
def test_wrong_options_end_in_one_line(options, message):
    with pytest.raises(UserError, match=r"^degradation\.") as error:
        DEGRADATIONS.build("realesrgan", options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)

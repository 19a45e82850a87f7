"""Registration against known motion, against scikit-image, and with what must not be fused."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import camera, cat
from skimage.registration import phase_cross_correlation
from skimage.transform import resize

from srgan_lightning.degradations import Burst, Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.prepare import pyramid
from srgan_lightning.multiframe.ranking import best_frames, noise_level, quality
from srgan_lightning.multiframe.registration import register
from srgan_lightning.multiframe.registration.outliers import reasons_against
from srgan_lightning.multiframe.registration.phase import phase_correlation

NO_NOISE = {"read_noise": 0.0, "quantize": False}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


SIZE = 64, 80


def photograph():
    """HR, `[1, 1, H, W]`."""
    height, width = 4 * SIZE[0], 4 * SIZE[1]
    picture = camera()[60 : 60 + height, 120 : 120 + width]
    return torch.from_numpy(picture.copy()).float()[None, None] / 255


def observe(seed=1, frames=6, **options):
    burst, (motion,) = Burst(frames=frames, **options).observe(photograph(), seeded(seed))
    return burst[0], motion


def error(found: Motion, true: Motion, size=SIZE):
    """Root mean square over frames and over a grid of points, along an axis, in pixels."""
    height, width = size
    x, y = torch.linspace(4, width - 5, 9), torch.linspace(4, height - 5, 7)
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    off = [found.points(n, points) - true.points(n, points) for n in range(1, len(true))]
    return float(torch.stack(off).pow(2).mean().sqrt())


def scikit_images(reference, frame):
    shift, *_ = phase_cross_correlation(reference, frame, upsample_factor=100)
    return -shift[::-1]


# Halfway between two hundredths, either is right.
PIXELS = st.integers(-6000, 6000).filter(lambda n: n % 10 != 5).map(lambda n: n / 1000)


@given(dx=PIXELS, dy=PIXELS, height=st.integers(15, 30), width=st.integers(15, 30))
@settings(max_examples=30, deadline=None)
def test_phase_correlation_equals_scikit_images(dx, dy, height, width):
    height, width = 2 * height + 1, 2 * width + 1
    reference = np.random.default_rng(height * width).random((height, width))
    frequencies = np.fft.fftfreq(height)[:, None] * dy + np.fft.fftfreq(width) * dx
    frame = np.fft.ifft2(np.fft.fft2(reference) * np.exp(-2j * np.pi * frequencies)).real
    shift = phase_correlation(torch.from_numpy(reference), torch.from_numpy(frame)[None])[0]
    np.testing.assert_allclose(shift.numpy(), scikit_images(reference, frame), atol=1e-9)
    np.testing.assert_allclose(shift.numpy(), [dx, dy], atol=0.00501)


@pytest.mark.parametrize(("crop", "tolerance"), [(1, 1e-9), (0, 0.01 + 1e-9)])
def test_phase_correlation_of_photographs_equals_scikit_images(crop, tolerance):
    """Sides of even length have a frequency without a twin, which a step may hang on."""
    burst, _ = observe(frames=9, shift=5.0, blur_sigma=(0.5, 0.5))
    grey = burst[:, 0, crop:, crop:].double()
    expected = [scikit_images(grey[0].numpy(), frame.numpy()) for frame in grey]
    np.testing.assert_allclose(phase_correlation(grey[0], grey).numpy(), expected, atol=tolerance)


@pytest.mark.parametrize("blur", [0.5, 0.8, 1.2])
@pytest.mark.parametrize(("noise", "bound"), [(0.0, 0.01), (30.0, 0.03)])
def test_translation_is_as_exact_as_promised(blur, noise, bound):
    """The noise is 30 dB below the signal's standard deviation."""
    sigma = 255 * float(photograph().std()) / 10 ** (noise / 20) if noise else 0.0
    for seed in range(2):
        options = {"shift": 3.0, "blur_sigma": (blur, blur), "read_noise": sigma}
        burst, true = observe(seed, quantize=False, **options)
        found = register(Frames.of(burst), model="translation", reference=0)
        assert found.kept.all()
        assert error(found.motion, true) < bound


@pytest.mark.parametrize(
    ("model", "motion"),
    [
        ("similarity", {"rotation": 4.0}),
        ("affine", {"rotation": 1.0, "affine": 0.01}),
        ("homography", {"rotation": 1.0, "affine": 0.01}),
    ],
)
def test_larger_models(model, motion):
    burst, true = observe(shift=5.0, **motion)
    found = register(Frames.of(burst), model=model, reference=0)
    assert found.kept.all()
    assert error(found.motion, true) < 0.03


def test_a_model_that_is_too_stiff_is_told():
    burst, _ = observe(shift=2.0, rotation=8.0)
    with pytest.warns(
        UserWarning, match="'translation' agree with it only to a correlation of 0.98"
    ):
        register(Frames.of(burst), model="translation", reference=0)


def test_a_homography_is_found():
    tilt = torch.eye(3).double()
    tilt[2, 0], tilt[2, 1], tilt[0, 2] = 1e-4, -1e-4, 2.5
    true = Motion(matrices=torch.stack([torch.eye(3).double(), tilt]))
    burst, _ = Burst().observe(photograph(), seeded(0), motions=[true])
    found = register(Frames.of(burst[0]), model="homography", reference=0)
    assert error(found.motion, true) < 0.02


def test_local_warps_take_most_of_the_seeing_away():
    burst, true = observe(seeing=0.4, seeing_scale=24.0, shift=2.0)
    frames = Frames.of(burst)
    stiff = register(frames, reference=0)
    bent = register(frames, reference=0, local=True)
    assert bent.kept.all()
    assert error(bent.motion, true) < 0.6 * error(stiff.motion, true)  # much of it is sky
    assert bent.residuals.median() < stiff.residuals.median() / 4


def test_brightness_defects_and_missing_pixels_lead_nowhere():
    options = {"hot_pixels": 2e-3, "cosmic_rays": 2e-3, "drift": 0.2, "electrons": 3000.0}
    burst, true = observe(shift=3.0, **options)
    burst[:, :, 30:45, 30:45] = torch.nan
    burst[2, 0, ::7, ::9] = torch.inf
    found = register(Frames.of(burst), reference=0)
    assert found.kept.all()
    assert found.residuals.isfinite().all()
    assert error(found.motion, true) < 0.05


def wild():
    return torch.from_numpy(resize(cat()[..., 1], SIZE)).float()[None]


@pytest.mark.parametrize("local", [False, True])
def test_a_wild_frame_is_named_and_left_out(local):
    burst, true = observe()
    burst[3] = wild()
    with pytest.warns(UserWarning, match="frame 4: is not fused: it shows") as said:
        found = register(Frames.of(burst), reference=0, local=local)
    assert len(said) == 1
    assert found.kept.tolist() == [True, True, True, False, True, True]
    assert found.reasons[3]
    assert not any(found.reasons[:3])
    good = [0, 1, 2, 4, 5]
    assert error(found.motion.select(good), true.select(good)) < 0.1


def test_a_wild_frame_is_no_reference():
    burst, _ = observe()
    burst[3] = torch.rand(1, *SIZE, generator=seeded(0))  # the sharpest of all
    with pytest.warns(UserWarning, match="frame 4: is not fused"):
        found = register(Frames.of(burst))
    assert found.reference != 3
    assert found.kept.sum() == 5


def test_a_frame_that_is_too_blurred_differs():
    burst, _ = observe(frames=9)
    burst[5] = torch.nn.functional.avg_pool2d(burst[5:6], 9, 1, 4)[0]
    with pytest.warns(UserWarning, match="frame 6: is not fused: it differs .* times as much"):
        found = register(Frames.of(burst), reference=0)
    assert found.kept.sum() == 8


def test_nothing_in_common():
    burst = torch.stack([wild(), photograph()[0, :, 100:164, 100:180], torch.rand(1, *SIZE)])
    with pytest.raises(UserError, match="no frame fits frame 1, the reference") as error:
        register(Frames.of(burst), reference=0)
    assert "\n" not in str(error.value)


def test_no_overlap():
    strips = torch.full((2, 1, *SIZE), torch.nan)
    strips[0, ..., :36] = photograph()[0, :, 100:164, 150:186]
    strips[1, ..., 44:] = wild()[..., 44:]
    with pytest.raises(UserError, match="no frame fits frame 1, the reference"):
        register(Frames.of(strips), reference=0)
    ones = torch.ones(3)
    reasons = reasons_against(ones, ones, torch.tensor([1, 0.5, 0.02]), reference=0)
    assert reasons == ["", "", "shows only 2 % of the reference"]


def test_a_flat_reference_and_words_that_are_unknown():
    burst = Frames.of(torch.full((3, 1, 40, 40), 0.5))
    with pytest.raises(UserError, match="frame 1: is flat"):
        register(burst, reference=0)
    with pytest.raises(UserError, match="unknown 'afine'; did you mean affine"):
        register(burst, model="afine")
    with pytest.raises(UserError, match="reference: must be from 0 to 2; got 3"):
        register(burst, reference=3)


def test_identical_frames_are_said_to_hold_no_detail():
    burst, _ = observe(frames=1)
    frames = Frames.of(burst.expand(4, -1, -1, -1))
    with pytest.warns(UserWarning, match="same sub-pixel place"):
        assert register(frames).kept.all()
    moved, _ = observe(frames=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register(Frames.of(moved))


def star_field(matrix, *, saturated=False, count=60):
    """Stars of one exposure `[1, H, W]`, moved by a matrix."""
    generator = np.random.default_rng(3)
    places = generator.uniform(10, 190, (count, 2))
    light = 10 ** generator.uniform(-1.5, 0, count)
    there = matrix @ np.c_[places, np.ones(count)].T
    v, u = np.mgrid[:200, :200]
    image = sum(
        flux * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * 1.2**2))
        for flux, x, y in zip(light, *there[:2], strict=True)
    )
    image = image * (4 if saturated else 1) + generator.normal(0, 0.003, image.shape)
    return torch.from_numpy(image.clip(0, 1)).float()[None]


def turned(degrees, scale, shift):
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array([99.5, 99.5]) - linear @ [99.5, 99.5] + shift
    return matrix


@pytest.mark.parametrize("saturated", [False, True])
def test_stars_are_matched_however_far_they_are_turned(saturated):
    true = np.stack([np.eye(3), turned(180, 1, [3.3, -5.2]), turned(25, 1.03, [-8.4, 2.6])])
    frames = torch.stack([star_field(matrix, saturated=saturated) for matrix in true])
    found = register(Frames.of(frames), model="stars", reference=0)
    assert found.kept.all()
    points = torch.rand(50, 2, generator=seeded(0)) * 100 + 50
    for n, matrix in enumerate(true):
        expected = Motion(matrices=torch.from_numpy(matrix)[None]).points(0, points)
        assert (found.motion.points(n, points) - expected).norm(dim=1).mean() < 0.05


def test_no_stars():
    noise = 0.1 + 0.01 * torch.randn(3, 1, 100, 100, generator=seeded(0))
    with pytest.raises(UserError, match=r"no frame fits .*stars"):
        register(Frames.of(noise), model="stars", reference=0)


def test_every_level_of_the_pyramid_shows_the_same_places():
    slope = torch.arange(128.0).expand(1, 96, 128)
    for number, level in enumerate(pyramid(slope, sigma=1.0)):
        inside = level.values[:, 4:-4, 8:-8]
        columns = torch.arange(level.values.shape[-1])[8:-8] * 2.0**number
        torch.testing.assert_close(inside, columns.expand_as(inside), atol=0.05, rtol=0)


def test_sharp_and_bright_frames_are_lucky():
    hr = photograph()
    frames = []
    for blur, gain in [(0.4, 1), (0.9, 1), (0.4, 0.02), (1.6, 1), (0.5, 1)]:
        burst = Burst(frames=1, blur_sigma=(blur, blur), read_noise=2.0)
        frames.append(burst.observe(gain * hr, seeded(0))[0][0, 0])
    chosen, qualities = best_frames(Frames.of(torch.stack(frames)), keep=0.4)
    assert chosen == [0, 4]
    assert qualities[3].sharpness < qualities[1].sharpness < qualities[0].sharpness
    with pytest.raises(UserError, match="--keep"):
        best_frames(Frames.of(torch.stack(frames)), keep=0.0)


@pytest.mark.parametrize("sigma", [0.01, 0.05])
def test_noise_is_told_from_detail(sigma):
    image = photograph()[0, 0]
    noisy = image + sigma * torch.randn(image.shape, generator=seeded(0))
    assert noise_level(noisy) == pytest.approx(sigma, rel=0.35)
    clean, same = quality(image[None]), quality(noisy[None])
    assert same.sharpness == pytest.approx(clean.sharpness, rel=0.15)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_finds_the_same():
    burst, _ = observe()
    host = register(Frames.of(burst), reference=0, local=True)
    device = register(Frames.of(burst), reference=0, local=True, device="cuda")
    torch.testing.assert_close(host.motion.matrices, device.motion.matrices, atol=1e-3, rtol=0)

"""What all degradations have in common."""

from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.degradations import (
    DEGRADATIONS,
    Bicubic,
    BlurBicubic,
    Burst,
    Classical,
    RealESRGAN,
    crop_to_multiple,
    random_flip_turn,
)
from srgan_lightning.errors import UserError

PRESETS = Path(__file__).parents[2] / "conf" / "degradation"
ALL = [Bicubic(), BlurBicubic(sigma=(0.5, 3.0)), Classical(), RealESRGAN(), Burst()]
DRAWING = ALL[1:]


def kind(degradation):
    return type(degradation).__name__


def photograph(batch=2, height=32, width=32, device="cpu"):
    generator = torch.Generator().manual_seed(height * width)
    coarse = torch.rand(batch, 3, 8, 8, generator=generator)
    hr = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (hr * 255).round().div(255).to(device)


def seeded(seed, device="cpu"):
    return torch.Generator(device).manual_seed(seed)


@pytest.mark.parametrize("degradation", ALL, ids=kind)
@given(height=st.integers(3, 12), width=st.integers(3, 12), batch=st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_lr_is_hr_reduced_in_8_bits(degradation, height, width, batch):
    lr = degradation(photograph(batch, 4 * height, 4 * width), seeded(0))
    assert lr.shape == (batch, 3, height, width)
    assert lr.dtype == torch.float32
    levels = lr * 255
    torch.testing.assert_close(levels, levels.round().clamp(0, 255), atol=1e-4, rtol=0)


@pytest.mark.parametrize("degradation", ALL, ids=kind)
@pytest.mark.parametrize("scale", [2, 3, 8])
def test_other_scales(degradation, scale):
    other = type(degradation)(scale=scale)
    assert other(photograph(1, 48, 24)).shape == (1, 3, 48 // scale, 24 // scale)


@pytest.mark.parametrize("degradation", DRAWING, ids=kind)
def test_draws_repeat_with_the_seed_and_differ_per_image(degradation):
    hr = photograph(1).expand(3, -1, -1, -1)
    lr = degradation(hr, seeded(7))
    assert torch.equal(lr, degradation(hr, seeded(7)))
    assert not torch.equal(lr, degradation(hr, seeded(8)))
    assert not torch.equal(lr[0], lr[1])
    assert not torch.equal(lr[1], lr[2])


@pytest.mark.parametrize("degradation", DRAWING, ids=kind)
def test_draws_come_from_the_generator_alone(degradation):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    degradation(photograph(), seeded(7))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("degradation", ALL, ids=kind)
def test_memory_format_and_autocast_change_nothing(degradation):
    hr = photograph()
    lr = degradation(hr, seeded(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(lr, degradation(hr, seeded(1)))
    last = degradation(hr.contiguous(memory_format=torch.channels_last), seeded(1))
    torch.testing.assert_close(lr, last, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize("degradation", ALL, ids=kind)
def test_no_value_is_read_back_from_the_device(degradation):
    """Meta tensors have no values: reading one raises."""
    hr = torch.empty(2, 3, 32, 32, device="meta")
    assert degradation.reduce(hr, None).shape == (2, 3, 8, 8)
    assert random_flip_turn(hr).shape == hr.shape


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 8, 9), (1, 3, 0, 8)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected HR|no multiple"):
        Bicubic()(torch.zeros(shape))


@pytest.mark.parametrize("degradation", [BlurBicubic(sigma=(0.5, 3.0)), Classical()], ids=kind)
def test_pictures_too_small_to_blur_are_refused_in_one_line(degradation):
    with pytest.raises(UserError, match="a picture of 8x32 is too small"):
        degradation(torch.zeros(1, 3, 8, 32))


def test_the_description_names_every_option():
    assert (
        BlurBicubic(sigma=(0.5, 2.0)).describe()
        == "blur_bicubic(scale=4, sigma=(0.5, 2.0), quantize=True)"
    )
    for degradation in ALL:
        name, options = degradation.describe().rstrip(")").split("(", 1)
        assert name in DEGRADATIONS
        assert "scale=4" in options


@pytest.mark.parametrize("name", ["bicubic", "blur_bicubic", "burst", "classical", "realesrgan"])
def test_presets_spell_out_the_defaults(name):
    node = yaml.safe_load((PRESETS / f"{name}.yaml").read_text())
    assert node.pop("name") == name
    assert DEGRADATIONS.build(name, node, scale=4) == DEGRADATIONS.get(name)()
    assert DEGRADATIONS.build(name, {}, scale=2).scale == 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("blur_bicubic", {"sigma": -1}, "sigma: must be at least 0; got -1"),
        ("blur_bicubic", {"sigma": [2, 1]}, "sigma: must be two rising numbers"),
        ("blur_bicubic", {"sigma": float("nan")}, "sigma: must be"),
        ("blur_bicubic", {"sigma": float("inf")}, "sigma: must be"),
        ("bicubic", {"scale": 0}, "scale: must be at least 1"),
        ("classical", {"anisotropic": 1.5}, "anisotropic: must be from 0 to 1; got 1.5"),
        (
            "classical",
            {"jpeg_quality": [0, 50]},
            "jpeg_quality: must be two rising numbers, from 1",
        ),
        ("classical", {"resize": []}, "resize: names no kernel"),
        ("classical", {"resize": ["cubik"]}, "'box', 'triangle', 'cubic' or 'lanczos3'"),
        ("classical", {"noise": [1, 2]}, "did you mean noise_sigma"),
    ],
)
def test_wrong_options_end_in_one_line(name, options, message):
    with pytest.raises(UserError, match=r"^degradation\.") as error:
        DEGRADATIONS.build(name, options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(height=st.integers(4, 30), width=st.integers(4, 30), multiple=st.integers(1, 4))
def test_cropping_keeps_the_top_left_corner(height, width, multiple):
    image = torch.arange(height * width).view(1, height, width)
    cropped = crop_to_multiple(image, multiple)
    assert cropped.shape == (1, height - height % multiple, width - width % multiple)
    assert torch.equal(cropped, image[:, : cropped.shape[1], : cropped.shape[2]])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("degradation", ALL, ids=kind)
def test_cuda_degrades_without_waiting(degradation):
    hr = photograph(device="cuda")
    generator = seeded(0, "cuda")
    degradation(hr, generator)  # fills the caches
    torch.cuda.set_sync_debug_mode("error")
    try:
        lr = random_flip_turn(degradation(hr, generator), generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert lr.is_cuda


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("degradation", [Bicubic(), BlurBicubic()], ids=kind)
def test_cuda_gives_the_same_values(degradation):
    lr = degradation(photograph(device="cuda")).cpu()
    torch.testing.assert_close(lr, degradation(photograph()), atol=1.01 / 255, rtol=0)

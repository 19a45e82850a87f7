import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.classical import Bicubic, Nearest
from srgan_lightning.degradations import Bicubic as Degrade
from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import DegradedPairs, GeneratorModel, Protocol, evaluate
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS

METHODS = ["nearest", "bilinear", "bicubic", "lanczos"]


@pytest.mark.parametrize(
    ("folder", "space", "psnr", "ssim"),
    [
        ("Set5", "y", 28.4305, 0.8113),
        ("Set5", "rgb", 26.6947, 0.7734),
        ("Set14", "y", 26.0899, 0.7049),
        ("Set14", "rgb", 24.4636, 0.6639),
    ],
)
def test_bicubic_has_the_protocol_s_figures(shared, folder, space, psnr, ssim):
    upscaler = TorchUpscaler.load("bicubic", device="cpu", precision="32-true")
    pairs = DegradedPairs(shared / "data/eval" / folder, degradation=Degrade(scale=4))
    model = GeneratorModel(name="bicubic", upscaler=upscaler)
    figures = evaluate(model, pairs, Protocol(degradation="bicubic", space=space)).mean("bicubic")
    assert round(figures["psnr"], 4) == psnr
    assert round(figures["ssim"], 4) == ssim


@settings(deadline=None, max_examples=30)
@given(scale=st.integers(1, 8), height=st.integers(1, 9), width=st.integers(1, 9))
def test_nearest_repeats_each_pixel(scale, height, width):
    lr = torch.rand(2, 3, height, width)
    repeated = lr.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    assert torch.equal(Nearest(scale=scale)(lr), repeated)


def test_bilinear_is_linear_between_centres():
    lr = torch.rand(1, 3, 7, 9)
    expected = torch.nn.functional.interpolate(lr, scale_factor=4, mode="bilinear")
    torch.testing.assert_close(GENERATORS.build("bilinear", {})(lr), expected)


def test_bicubic_is_keys_cubic_convolution():
    lr = torch.rand(1, 3, 9, 9, dtype=torch.float64)
    sr = Bicubic(scale=4)(lr)
    distances = 0.125 + np.array([1.0, 0.0, 1.0, 2.0]) * [1, 1, -1, -1]
    weights = [keys(abs(d)) for d in distances]
    taps = lr[0, :, 3:7, 3:7].numpy()  # SR (18, 18) lies 1/8 px beyond the centre of LR (4, 4)
    expected = np.einsum("chw,h,w->c", taps, weights, weights)
    np.testing.assert_allclose(sr[0, :, 18, 18], expected, atol=1e-12)


def keys(x: float, a: float = -0.5) -> float:
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_constant_stays_and_shapes_follow(name, scale):
    sr = GENERATORS.build(name, {}, scale=scale)(torch.full((2, 3, 5, 1), 0.3))
    assert sr.shape == (2, 3, 5 * scale, scale)
    torch.testing.assert_close(sr, torch.full_like(sr, 0.3))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_halo_is_how_far_a_pixel_is_felt(name, scale):
    generator = GENERATORS.build(name, {}, scale=scale)
    lr = torch.zeros(1, 3, 1, 21)
    lr[..., 10] = 1
    felt = generator(lr)[0, 0, 0].abs() > 1e-7
    reached = (felt.nonzero().flatten() // scale - 10).abs().max().item()
    assert reached == generator.halo


@pytest.mark.parametrize("name", METHODS)
def test_tiles_do_not_show(name):
    lr = torch.rand(1, 3, 23, 17)
    whole = GENERATORS.build(name, {})(lr)
    tiled = TorchUpscaler.load(name, device="cpu", precision="32-true", tile=5)(lr)
    torch.testing.assert_close(tiled, whole, atol=1e-6, rtol=0)


def test_autocast_does_not_coarsen():
    lr = torch.rand(1, 3, 8, 8)
    upscaler = TorchUpscaler.load("bicubic", device="cpu", precision="bf16-mixed")
    assert torch.equal(upscaler(lr), imresize(lr, scale=4))


@pytest.mark.parametrize("name", METHODS)
def test_there_is_nothing_to_save_and_no_option_to_mistype(name):
    assert not GENERATORS.build(name, {}).state_dict()
    with pytest.raises(UserError, match=r"generator\.width: no such option"):
        GENERATORS.build(name, {"width": 8})
    with pytest.raises(UserError, match=r"generator\.scale: must be 1 or more"):
        GENERATORS.build(name, {}, scale=0)

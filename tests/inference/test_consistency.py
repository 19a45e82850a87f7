import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.consistency import Consistency
from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.samples import sample_folder

PHOTOGRAPH = read_rgb(sample_folder("heldout") / "perched-osprey.jpg")[:256, :320]


def lr_psnr(sr: np.ndarray, lr: np.ndarray, name: str) -> float:
    back = DEGRADATIONS.build(name, {})(to_tensor(sr))
    return float(-10 * torch.log10((back - to_tensor(lr)).square().mean()))


@pytest.mark.parametrize("name", ["bicubic", "blur_bicubic"])
def test_reduced_it_is_the_picture_that_was_given(name):
    lr = PHOTOGRAPH[::4, ::4].copy()
    upscaler = load_upscaler("nearest", precision="32-true")
    before = lr_psnr(upscaler.enlarge(lr), lr, name)
    described = DEGRADATIONS.build(name, {}).describe()
    upscaler.consistency = Consistency(described, scale=4, model="nearest")
    after = lr_psnr(upscaler.enlarge(lr), lr, name)
    assert after > before + 10
    assert after > 40
    assert upscaler.describe(8)["Consistency"].startswith(f"{name}(")


@settings(max_examples=8, deadline=None)
@given(heights=st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_strips_give_what_the_whole_picture_gives(heights):
    consistency = Consistency("bicubic(scale=4, quantize=True)", scale=4, model="x")
    draws = np.random.default_rng(0)
    lr = draws.random((sum(heights), 5, 3), np.float32)
    sr = draws.random((4 * len(lr), 20, 3), np.float32)
    (whole,) = consistency.strips([sr], lr)
    ends = 4 * np.cumsum(heights)[:-1]
    strips = [*consistency.strips(np.split(sr, ends), lr)]
    assert np.allclose(np.concatenate(strips), whole, atol=1e-4)


def test_values_beyond_the_range_are_corrected_too():
    consistency = Consistency("bicubic(scale=4, quantize=True)", scale=4, model="x")
    lr = np.zeros((9, 9, 3), np.float32)
    lr[4, 4] = 50
    (sr,) = consistency.strips([lr.repeat(4, 0).repeat(4, 1)], lr)
    assert 50 < sr.max() < 150
    assert abs(sr.mean() - lr.mean()) < 0.05


def test_another_degradation_is_said():
    with pytest.warns(UserWarning, match=r"m: was trained for realesrgan\(…\); SR is fitted to"):
        consistency = Consistency("realesrgan(…)", scale=4, model="m")
    assert consistency.words == "bicubic(scale=4, quantize=False)"

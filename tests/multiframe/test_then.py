import numpy as np
import pytest

from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.multiframe.then import enlarged


@pytest.mark.parametrize("channels", [1, 3])
def test_what_no_frame_saw_stays_unknown_and_spoils_nothing(channels):
    upscaler = load_upscaler("bicubic", device="cpu")
    picture = np.random.default_rng(0).random((channels, 9, 11)).astype(np.float32)
    whole = enlarged(picture, upscaler)
    assert np.isfinite(whole).all()
    holed = picture.copy()
    holed[:, 2, 3] = np.nan
    sr = enlarged(holed, upscaler)
    unknown = np.isnan(sr)
    assert unknown[:, 8:12, 12:16].all()
    assert unknown.sum() == channels * 16
    np.testing.assert_array_equal(sr[:, 20:], whole[:, 20:])  # beyond the kernel's reach


def test_a_picture_that_nobody_saw_stays_one():
    nothing = np.full((1, 3, 4), np.nan, np.float32)
    assert np.isnan(enlarged(nothing, load_upscaler("nearest", device="cpu"))).all()

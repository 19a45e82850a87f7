"""The bicubic that networks start from is MATLAB's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from srgan_lightning.degradations.resize import imresize
from srgan_lightning.networks.enlarge import enlarge


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), scale=st.sampled_from([1, 2, 3, 4, 6, 8]))
def test_equals_imresize(height, width, scale) -> None:
    lr = torch.rand(2, 3, height, width, dtype=torch.float64)
    assert_close(enlarge(lr, scale), imresize(lr, scale=scale), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype) -> None:
    lr = torch.rand(1, 3, 6, 7).to(dtype)
    assert torch.equal(enlarge(lr, 4), enlarge(lr.float(), 4).to(dtype))


def test_autocast_changes_nothing() -> None:
    lr = torch.rand(1, 3, 6, 7)
    with torch.autocast("cpu", torch.bfloat16):
        sr = enlarge(lr, 4)
    assert torch.equal(sr, enlarge(lr, 4))

"""Pixel losses and total variation against NumPy, arithmetic and finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.losses import (
    L1,
    MSE,
    PIXEL_LOSSES,
    SSE,
    Charbonnier,
    TotalVariation,
    charbonnier,
    l1,
    mse,
    sse,
    total_variation,
)

SR, HR = torch.rand(2, 2, 3, 6, 5, generator=torch.Generator().manual_seed(0)).unbind()


def test_values_equal_numpy() -> None:
    difference = SR.double().numpy() - HR.double().numpy()
    assert l1(SR, HR).item() == pytest.approx(np.abs(difference).mean(), rel=1e-6)
    assert mse(SR, HR).item() == pytest.approx((difference**2).mean(), rel=1e-6)
    assert sse(SR, HR).item() == pytest.approx((difference**2).sum() / len(HR), rel=1e-6)
    expected = np.sqrt(difference**2 + 0.05**2).mean()
    assert charbonnier(SR, HR, eps=0.05).item() == pytest.approx(expected, rel=1e-6)


def test_equal_images() -> None:
    assert l1(HR, HR) == 0
    assert mse(HR, HR) == 0
    assert charbonnier(HR, HR).item() == pytest.approx(1e-3, rel=1e-5)


def test_charbonnier_lies_between_l1_and_l1_plus_eps_and_is_smooth_at_zero() -> None:
    assert l1(SR, HR) < charbonnier(SR, HR, 1e-2) < l1(SR, HR) + 1e-2
    sr = HR.clone().requires_grad_()
    charbonnier(sr, HR).backward()
    assert torch.equal(sr.grad, torch.zeros_like(sr))


def test_on_the_papers_range_mse_is_four_times_and_l1_twice() -> None:
    torch.testing.assert_close(mse(2 * SR - 1, 2 * HR - 1), 4 * mse(SR, HR))
    torch.testing.assert_close(l1(2 * SR - 1, 2 * HR - 1), 2 * l1(SR, HR))


@pytest.mark.parametrize("name", ["l1", "mse", "sse", "charbonnier"])
def test_bfloat16_is_summed_in_float32(name) -> None:
    loss = PIXEL_LOSSES.build(name, {})
    sr, hr = SR.bfloat16(), HR.bfloat16()
    assert loss(sr, hr).dtype == torch.float32
    torch.testing.assert_close(loss(sr, hr), loss(sr.float(), hr.float()))


def test_modules_are_the_functions_and_have_names() -> None:
    assert L1()(SR, HR) == l1(SR, HR)
    assert MSE()(SR, HR) == mse(SR, HR)
    assert SSE(factor=0.5)(SR, HR) == sse(SR, HR) / 2
    assert Charbonnier(eps=0.1)(SR, HR) == charbonnier(SR, HR, 0.1)
    assert TotalVariation()(SR) == total_variation(SR)
    assert isinstance(PIXEL_LOSSES.build("charbonnier", {"eps": 0.2}), Charbonnier)
    with pytest.raises(UserError, match=r"pixel loss\.eps: no such option"):
        PIXEL_LOSSES.build("l1", {"eps": 0.2})
    with pytest.raises(UserError, match="unknown pixel loss 'l2': "):
        PIXEL_LOSSES.build("l2", {})


@pytest.mark.parametrize("loss", [l1, mse, charbonnier])
def test_gradients_are_the_derivatives(loss) -> None:
    torch.manual_seed(0)
    hr = torch.zeros(1, 1, 2, 2)
    sr = (torch.rand(1, 1, 2, 2) + 0.1).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(sr, hr), sr)
    n = sr.numel()
    expected = {
        l1: torch.ones_like(sr) / n,
        mse: 2 * sr / n,
        charbonnier: sr / (sr.square() + 1e-6).sqrt() / n,
    }[loss]
    torch.testing.assert_close(gradient, expected)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99))
def test_total_variation_is_a_sum_over_neighbours(height, width, seed) -> None:
    image = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    array = image.double().numpy()
    expected = 0.0
    for i in range(height):
        for j in range(width):
            if i + 1 < height:
                expected += np.abs(array[:, :, i + 1, j] - array[:, :, i, j]).sum()
            if j + 1 < width:
                expected += np.abs(array[:, :, i, j + 1] - array[:, :, i, j]).sum()
    found = total_variation(image).item()
    assert found == pytest.approx(expected / array.size, rel=1e-5, abs=1e-9)


def test_total_variation_knows_edges_but_not_their_sharpness() -> None:
    step = torch.tensor([0.0, 0, 0, 1, 1, 1]).expand(1, 1, 6, 6)
    ramp = torch.linspace(0, 1, 6).expand(1, 1, 6, 6)
    torch.testing.assert_close(total_variation(step), total_variation(ramp))
    assert total_variation(torch.full((1, 3, 4, 4), 0.7)) == 0
    assert total_variation(F.avg_pool2d(SR, 3, 1)) < total_variation(SR)

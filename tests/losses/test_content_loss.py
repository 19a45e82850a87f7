"""The content loss against hand arithmetic, and where its gradient goes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.errors import UserError
from srgan_lightning.losses import ContentLoss, content_loss, mse, relative_difference
from srgan_lightning.networks import VGGFeatures

WEIGHTS = {"relu1_2": 0.5, "conv2_1": 2.0}


@pytest.fixture(scope="module")
def features() -> VGGFeatures:
    return VGGFeatures(layers=tuple(WEIGHTS), weights="random")


def test_sum_of_weighted_means() -> None:
    sr = {"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([[2.0]]), "c": torch.tensor([9.0])}
    hr = {"a": torch.tensor([0.0, 0.0]), "b": torch.tensor([[5.0]]), "c": torch.tensor([0.0])}
    weights = {"a": 1.0, "b": 0.1}
    assert content_loss(sr, hr, weights).item() == pytest.approx(5 + 0.1 * 9)
    assert content_loss(sr, hr, weights, "l1").item() == pytest.approx(2 + 0.1 * 3)


@pytest.mark.parametrize("distance", ["mse", "l1"])
def test_the_feature_scale_multiplies_the_features(distance) -> None:
    torch.manual_seed(0)
    sr, hr = {"a": torch.rand(1, 4, 3, 3)}, {"a": torch.rand(1, 4, 3, 3)}
    scale = 1 / 12.75
    scaled = [{"a": scale * maps["a"]} for maps in (sr, hr)]
    expected = content_loss(*scaled, {"a": 1.0}, distance)
    torch.testing.assert_close(content_loss(sr, hr, {"a": 1.0}, distance, scale), expected)


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_relative_differences_do_not_depend_on_the_features_scale(scale, seed) -> None:
    sr, hr = torch.randn(2, 2, 5, 4, 3, generator=torch.Generator().manual_seed(seed)).unbind()
    expected = sum(
        (sr[b, :, y, x] - hr[b, :, y, x]).square().sum()
        / (hr[b, :, y, x].square().sum() + hr.square().sum(1).mean())
        for b in range(2)
        for y in range(4)
        for x in range(3)
    )
    found = content_loss({"a": scale * sr}, {"a": scale * hr}, {"a": 1.0}, "relative", 0.5)
    torch.testing.assert_close(found, expected / 24)


def test_faint_texture_counts_relatively_more_than_in_the_mean_square() -> None:
    strength = torch.tensor([10.0, 1.0]).view(1, 1, 1, 2)
    hr = strength * torch.ones(1, 4, 1, 2)
    off = [hr * torch.tensor(share).view(1, 1, 1, 2) for share in ([0.9, 1.0], [1.0, 0.9])]
    strong, faint = ([relative_difference(sr, hr), mse(sr, hr)] for sr in off)
    assert faint[0] / strong[0] > 2 * faint[1] / strong[1]
    assert relative_difference(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)) == 0


def test_the_papers_scale_is_about_six_thousandths() -> None:
    sr, hr = {"a": torch.ones(1)}, {"a": torch.zeros(1)}
    found = content_loss(sr, hr, {"a": 1.0}, feature_scale=1 / 12.75).item()
    assert found == pytest.approx(0.006, abs=2e-4)


def test_the_module_compares_features_of_images(features) -> None:
    torch.manual_seed(0)
    sr, hr = torch.rand(2, 2, 3, 16, 16).unbind()
    loss = ContentLoss(features=features, layers=WEIGHTS, distance="l1", feature_scale=0.5)
    with torch.no_grad():
        maps_sr, maps_hr = features(sr), features(hr)
    expected = sum(
        weight * (0.5 * maps_sr[layer] - 0.5 * maps_hr[layer]).abs().mean()
        for layer, weight in WEIGHTS.items()
    )
    torch.testing.assert_close(loss(sr, hr), expected)
    assert loss(hr, hr) == 0


def test_the_gradient_reaches_sr_only(features) -> None:
    sr, hr = (torch.rand(1, 3, 16, 16, requires_grad=True) for _ in range(2))
    ContentLoss(features=features, layers=WEIGHTS)(sr, hr).backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0
    assert hr.grad is None


def test_under_autocast_the_loss_is_float32(features) -> None:
    sr, hr = torch.rand(2, 1, 3, 16, 16).unbind()
    loss = ContentLoss(features=features, layers=WEIGHTS)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(sr, hr)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(sr, hr), rtol=0.05, atol=0)


def test_layers_without_features_are_the_users_error(features) -> None:
    with pytest.raises(UserError, match=r"'relu5_4' is not among the features .*relu1_2, conv2_1"):
        ContentLoss(features=features, layers={"relu5_4": 1.0})
    with pytest.raises(UserError, match="name one layer at least"):
        ContentLoss(features=features, layers={})

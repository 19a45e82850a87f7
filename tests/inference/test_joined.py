"""Convolutions joined with activations and sums do what these do one after another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, leaky_relu

from srgan_lightning.inference import joined
from srgan_lightning.inference.blocks import BlockShuffle, NarrowConv2d
from srgan_lightning.inference.joined import JoinedConv2d, JoinedResidual, joined_conv2d
from srgan_lightning.inference.prepare import prepared
from srgan_lightning.networks.generators.srresnet import SRResNet

CLOSE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.parametrize("dtype", [*CLOSE])
@settings(max_examples=10, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    kernel=st.sampled_from([1, 3, 5]),
    slope=st.sampled_from([None, 0.0, 0.2]),
    bias=st.booleans(),
)
@torch.inference_mode()
def test_one_pass_is_one_after_another(library, dtype, height, width, kernel, slope, bias):
    features = torch.randn(2, 3, height, width)
    weight, shift = torch.randn(4, 3, kernel, kernel) / kernel**2, torch.randn(4) if bias else None
    other = torch.randn(2, 4, height, width) if slope is None else None
    padding = kernel // 2, kernel // 2
    expected = conv2d(features, weight, shift, padding=padding)
    expected = expected if slope is None else leaky_relu(expected, slope)
    expected = expected if other is None else expected + other
    given_bias = None if shift is None else shift.to(dtype)
    with pytest.MonkeyPatch.context() as patch:
        if not library:
            patch.setattr(joined, "_onednn", lambda dtype: None)
        made = joined_conv2d(features, weight.to(dtype), given_bias, padding, slope, other)
    assert made.dtype == dtype
    torch.testing.assert_close(made.float(), expected, rtol=CLOSE[dtype], atol=4 * CLOSE[dtype])


def test_in_srresnet_nothing_stands_between_convolutions():
    network = prepared(SRResNet(blocks=3, width=8), torch.device("cpu"), torch.bfloat16)
    kinds = [type(layer) for layer in network.modules() if not [*layer.children()]]
    assert set(kinds) == {JoinedConv2d, nn.Conv2d, BlockShuffle, NarrowConv2d}
    assert kinds.count(nn.Conv2d) == 1  # the trunk's last, which is added to the head
    assert sum(isinstance(layer, JoinedResidual) for layer in network.modules()) == 3


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, stride=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.ReLU(),
    ],
)
def test_what_cannot_be_joined_is_left_alone(layer):
    assert not JoinedConv2d.suits(layer)

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from srgan_lightning.inference.blocks import BlockShuffle, NarrowConv2d


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    kernel=st.sampled_from([3, 5, 9]),
    outputs=st.integers(1, 4),
    bias=st.booleans(),
)
def test_blocks_are_what_the_convolution_answers(height, width, kernel, outputs, bias):
    convolution = nn.Conv2d(5, outputs, kernel, padding=kernel // 2, bias=bias)
    assert NarrowConv2d.suits(convolution)
    features = torch.rand(2, 5, height, width)
    with torch.no_grad():
        torch.testing.assert_close(NarrowConv2d(convolution)(features), convolution(features))


@pytest.mark.parametrize(
    "options",
    [
        {"padding": 0},
        {"padding": 1, "stride": 2},
        {"padding": 1, "padding_mode": "replicate"},
        {"padding": 2, "dilation": 2},
    ],
)
def test_other_convolutions_stay_what_they_are(options):
    assert not NarrowConv2d.suits(nn.Conv2d(8, 3, 3, **options))


def test_wide_convolutions_stay_what_they_are():
    assert not NarrowConv2d.suits(nn.Conv2d(8, 5, 3, padding=1))


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("memory", [torch.channels_last, torch.contiguous_format], ids=str)
def test_a_reordered_convolution_is_shuffled_alike(factor, memory):
    convolution = nn.Conv2d(4, 6 * factor**2, 3, padding=1)
    features = torch.rand(2, 4, 5, 7).to(memory_format=memory)
    with torch.no_grad():
        expected = nn.PixelShuffle(factor)(convolution(features))
        shuffle = BlockShuffle(factor)
        shuffle.reorder(convolution)
        torch.testing.assert_close(shuffle(convolution(features)), expected)

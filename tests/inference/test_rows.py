"""A picture by bands of rows is the whole picture."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import srgan_lightning.classical  # noqa: F401 - registers the methods
from srgan_lightning.inference import row_rules
from srgan_lightning.inference.rows import NotByRowsError, RowStream
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS, Generator

SMALL = {
    "srresnet": {"blocks": 1, "width": 8},
    "rrdbnet": {"blocks": 1, "width": 8, "growth": 4},
    "edsr": {"blocks": 1, "width": 8},
    "rdn": {"blocks": 2, "layers": 2, "width": 8, "growth": 4},
    "compact": {"blocks": 2, "width": 8},
    "msrresnet": {"blocks": 1, "width": 8},
    "keras_srgan": {"blocks": 1},
    "span": {"width": 8},
    "espcn": {},
}
VARIANTS = [
    *SMALL.items(),
    ("srresnet", {"blocks": 1, "width": 8, "upsampler": "nearest", "image_skip": "bicubic"}),
    ("rrdbnet", {"blocks": 1, "width": 8, "growth": 4, "unshuffle": 2}),
]


def build(name: str, options: dict) -> Generator:
    """A network whose every layer does something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = GENERATORS.build(name, options, scale=4).eval()
        for parameter in network.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return network


NETWORKS = {f"{name} {options}": build(name, options) for name, options in VARIANTS}


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
@torch.inference_mode()
def test_bands_give_what_the_whole_picture_gives(name, data):
    network = NETWORKS[name]
    grid = network.grid
    heights = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    width = data.draw(st.integers(1, 12)) * grid
    lr = torch.rand(1, 3, sum(heights) * grid, width, generator=torch.Generator().manual_seed(0))
    stream, top, strips = RowStream(network), 0, []
    for rows in heights:
        band = lr[:, :, top : top + rows * grid]
        top += rows * grid
        strips.append(stream.push(band))
    sr = torch.cat([*strips, *stream.end(rows=data.draw(st.integers(1, 9)))], 2)
    whole = network(lr)
    assert sr.shape == whole.shape
    torch.testing.assert_close(sr, whole, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_no_row_is_computed_twice():
    """The rows that go into convolutions are the picture's, and at its ends their padding's."""
    seen: dict[int, int] = {}

    def count(layer: nn.Module, given: tuple[torch.Tensor]) -> None:
        seen[id(layer)] = seen.get(id(layer), 0) + given[0].shape[2]

    network = NETWORKS["srresnet {'blocks': 1, 'width': 8}"]
    hooks = [
        layer.register_forward_pre_hook(count)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    lr = torch.rand(1, 3, 24, 5)
    network(lr)
    whole, seen = seen, {}
    stream = RowStream(network)
    for top in range(0, 24, 4):
        stream.push(lr[:, :, top : top + 4])
    assert len([*stream.end(rows=4)]) > 1
    for hook in hooks:
        hook.remove()
    assert seen == whole


@torch.inference_mode()
def test_bf16_bands_are_bf16_s_whole():
    network = NETWORKS["edsr {'blocks': 1, 'width': 8}"]
    lr = torch.rand(1, 3, 20, 9)
    with torch.autocast("cpu", torch.bfloat16):
        stream = RowStream(network)
        bands = [stream.push(lr[:, :, top : top + 5]) for top in range(0, 20, 5)]
        bands += stream.end(rows=5)
        assert torch.allclose(torch.cat(bands, 2), network(lr), atol=2e-2)


@torch.inference_mode()
def test_convolutions_get_channels_last(monkeypatch):
    """A border laid out otherwise made SRResNet's last convolution, of 9×9, copy each band."""
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 9, padding=4))
    network.to(memory_format=torch.channels_last)
    lr = torch.rand(1, 3, 24, 7).contiguous(memory_format=torch.channels_last)
    given = []

    def conv2d(features: torch.Tensor, *more, **options) -> torch.Tensor:
        given.append(features.is_contiguous(memory_format=torch.channels_last))
        return torch.nn.functional.conv2d(features, *more, **options)

    monkeypatch.setattr(row_rules, "conv2d", conv2d)
    stream = RowStream(network)
    for top in range(0, 24, 8):
        stream.push(lr[:, :, top : top + 8])
    assert len([*stream.end(rows=8)]) == 1
    assert given == [True] * len(given)
    assert len(given) == 8


@torch.inference_mode()
def test_a_band_that_failed_can_be_fed_again():
    network = NETWORKS["compact {'blocks': 2, 'width': 8}"]
    lr, fails = torch.rand(1, 3, 12, 5), [False, True, False, True]

    def fail(*_: object) -> None:
        if fails and fails.pop(0):
            raise MemoryError

    hook = network.body[2].register_forward_pre_hook(fail)
    stream = RowStream(network)
    bands = [stream.push(lr[:, :, :6])]
    with pytest.raises(MemoryError):
        stream.push(lr[:, :, 6:])
    bands.append(stream.push(lr[:, :, 6:]))
    with pytest.raises(MemoryError):
        next(stream.end(rows=2))
    bands += stream.end(rows=2)
    hook.remove()
    assert torch.allclose(torch.cat(bands, 2), network(lr), atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 3, 3, stride=2, padding=1),
        nn.Conv2d(3, 3, 3),
        nn.Conv2d(3, 3, 3, padding=2, dilation=2),
        nn.ConvTranspose2d(3, 3, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.InstanceNorm2d(3),
        nn.Upsample(size=(8, 8)),
        nn.Softmax(2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_what_has_no_rule_is_refused(layer):
    with pytest.raises(NotByRowsError), torch.inference_mode():
        RowStream(layer).push(torch.rand(1, 3, 6, 6))


def test_which_networks_go_by_rows():
    others = ("srcnn", "vdsr", "fsrcnn", "nearest", "bicubic", "lanczos")
    goes = {
        name
        for name in (*SMALL, *others)
        if TorchUpscaler(build(name, SMALL.get(name, {})), precision="32-true")._by_rows
    }
    assert goes == set(SMALL)

"""The field's formats, both ways, with spandrel and a transcription of BasicSR as the judges."""

import os
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spandrel import ModelLoader
from spandrel.architectures.Compact import Compact as TheirCompact
from spandrel.architectures.ESRGAN import ESRGAN as TheirRRDBNet
from spandrel.architectures.SPAN import SPAN as TheirSPAN
from torch import Tensor, nn
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS, Generator, load_generator, save_generator
from srgan_lightning.networks.foreign import recognise, write_foreign
from srgan_lightning.networks.generators import SPAN, Compact, MSRResNet, RRDBNet

KNOWN_THERE = [
    ("rrdbnet", {"blocks": 2, "width": 12}, 4),
    ("rrdbnet", {"blocks": 1, "width": 8}, 1),
    ("rrdbnet", {"blocks": 1, "width": 8}, 2),
    ("rrdbnet", {"blocks": 1, "width": 8}, 8),
    ("rrdbnet", {"blocks": 1, "width": 8, "unshuffle": 2}, 2),
    ("rrdbnet", {"blocks": 1, "width": 8, "unshuffle": 4}, 1),
    ("compact", {"blocks": 3, "width": 8}, 4),
    ("compact", {"blocks": 1, "width": 6}, 3),
    ("span", {"width": 8, "norm": True}, 4),
    ("span", {"width": 6, "norm": False}, 2),
]
ALL = [
    *KNOWN_THERE,
    ("rrdbnet", {"blocks": 1, "width": 8, "growth": 5}, 4),
    ("msrresnet", {"blocks": 2, "width": 8}, 4),
    ("msrresnet", {"blocks": 1, "width": 6}, 3),
    ("msrresnet", {"blocks": 1, "width": 6}, 2),
]


def make(name: str, arguments: dict, scale: int) -> Generator:
    torch.manual_seed(0)
    return GENERATORS.build(name, arguments, scale=scale).eval()


def assert_equal_answers(ours: nn.Module, theirs: Callable[[Tensor], Tensor]) -> None:
    lr = torch.rand(2, 3, 8, 12)
    with torch.no_grad():
        expected = theirs(lr)
        tolerance = 1e-5 * max(1.0, expected.abs().max().item())
        torch.testing.assert_close(ours(lr), expected, atol=tolerance, rtol=0)


# ---------------------------------------------------------------- ours there


@pytest.mark.parametrize(("name", "arguments", "scale"), KNOWN_THERE, ids=str)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_network_trained_here_opens_in_spandrel(tmp_path, name, arguments, scale, suffix):
    net = make(name, arguments, scale)
    path = tmp_path / f"generator{suffix}"
    if suffix == ".pth":
        write_foreign(path, net)
    else:
        save_generator(
            path, net.state_dict(), name=name, arguments=arguments, scale=scale, facts={}
        )
    opened = ModelLoader().load_from_file(path)
    assert opened.scale == scale
    assert_equal_answers(net, opened.model.eval())


# ---------------------------------------------------------------- theirs here


def theirs(kind: str) -> nn.Module:
    torch.manual_seed(1)
    match kind:
        case "RRDBNet":
            net = TheirRRDBNet(num_filters=8, num_blocks=2)
        case "RRDBNet x2":
            net = TheirRRDBNet(num_filters=8, num_blocks=1, scale=2)
        case "RRDBNet x1":
            net = TheirRRDBNet(num_filters=8, num_blocks=1, scale=1)
        case "RRDBNet x2plus":
            net = TheirRRDBNet(in_nc=12, num_filters=8, num_blocks=1, scale=4, shuffle_factor=2)
        case "Compact":
            net = TheirCompact(num_feat=8, num_conv=3, upscale=4)
        case "SPAN":
            net = TheirSPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=4)
        case "SPAN without norm":
            net = TheirSPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2, norm=False)
    return net.eval()


KINDS = [
    "RRDBNet", "RRDBNet x2", "RRDBNet x1", "RRDBNet x2plus", "Compact", "SPAN", "SPAN without norm",
]  # fmt: skip
OTHER = {"a": torch.zeros(3)}
WRAPPED = {
    "params": lambda state: {"params": state},
    "params_ema": lambda state: {"params": OTHER, "params_ema": state},
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"step": 1}},
    "bare": lambda state: state,
    "of parallel training": lambda state: {f"module.{key}": value for key, value in state.items()},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_pth_of_others_is_read(tmp_path, kind, wrapped):
    net = theirs(kind)
    path = tmp_path / "model.pth"
    torch.save(WRAPPED[wrapped](net.state_dict()), path)
    ours, facts = load_generator(path)
    assert facts["foreign"]["file"] == "model.pth"
    assert facts["foreign"]["format"].startswith(kind.split()[0])
    assert not ours.training
    assert_equal_answers(ours, net)


@pytest.mark.parametrize("kind", KINDS)
def test_a_safetensors_file_of_others_is_read(tmp_path, kind):
    net = theirs(kind)
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file(net.state_dict(), path, {"format": "pt"})
    assert_equal_answers(load_generator(path)[0], net)


def test_half_precision_and_old_pickles_are_read(tmp_path):
    net = theirs("Compact")
    half = {key: value.half() for key, value in net.state_dict().items()}
    torch.save(half, tmp_path / "half.pt", _use_new_zipfile_serialization=False)
    net.load_state_dict(half)
    assert_equal_answers(load_generator(tmp_path / "half.pt")[0], net)


# ---------------------------------------------------------------- names


def second_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As ESRGAN's second code (and BSRGAN's) names RRDBNet's weights."""
    plain = {"conv_body": "trunk_conv", "conv_hr": "HRconv"}
    renamed = {}
    for key, value in state.items():
        layer, rest = key.split(".", 1)
        if layer == "body":
            key = f"RRDB_trunk.{rest.replace('rdb', 'RDB')}"
        elif layer.startswith("conv_up"):
            key = f"upconv{layer[-1]}.{rest}"
        else:
            key = f"{plain.get(layer, layer)}.{rest}"
        renamed[key] = value
    return renamed


def test_all_names_of_rrdbnet_mean_the_same(tmp_path):
    old = theirs("RRDBNet")  # spandrel's own has the first names
    assert "model.1.sub.1.RDB3.conv5.0.weight" in old.state_dict()
    first = recognise(old.state_dict())
    assert first.format == "RRDBNet, first names"
    net = RRDBNet(**first.arguments)
    assert first.tensors.keys() == net.state_dict().keys()
    second = recognise(second_names(first.tensors))
    assert second.format == "RRDBNet, second names"
    assert second.arguments == first.arguments == {
        "blocks": 2, "width": 8, "growth": 32, "unshuffle": 1,
    }  # fmt: skip
    assert all(torch.equal(first.tensors[key], value) for key, value in second.tensors.items())
    torch.save(second_names(first.tensors), tmp_path / "BSRGAN.pth")
    assert_equal_answers(load_generator(tmp_path / "BSRGAN.pth")[0], old)


def test_older_names_of_msrresnet(tmp_path):
    net = make("msrresnet", {"blocks": 2, "width": 8}, 4)
    old = {
        re.sub(r"^body", "recon_trunk", key).replace("conv_hr", "HRconv"): value
        for key, value in net.state_dict().items()
    }
    torch.save(old, tmp_path / "MSRResNetx4.pth")
    assert_equal_answers(load_generator(tmp_path / "MSRResNetx4.pth")[0], net)


def msrresnet_transcribed(w: Mapping[str, Tensor], scale: int) -> Callable[[Tensor], Tensor]:
    """BasicSR's MSRResNet, written down with nothing but functions and its names."""

    def conv(x: Tensor, at: str) -> Tensor:
        return F.conv2d(x, w[f"{at}.weight"], w[f"{at}.bias"], padding=1)

    def answer(lr: Tensor) -> Tensor:
        x = F.leaky_relu(conv(lr, "conv_first"), 0.1)
        block = 0
        while f"body.{block}.conv1.weight" in w:
            x = x + conv(conv(x, f"body.{block}.conv1").relu(), f"body.{block}.conv2")
            block += 1
        for layer in ("upconv1", "upconv2") if scale == 4 else ("upconv1",):
            x = F.leaky_relu(F.pixel_shuffle(conv(x, layer), 2 if scale == 4 else scale), 0.1)
        x = conv(F.leaky_relu(conv(x, "conv_hr"), 0.1), "conv_last")
        size = [scale * side for side in lr.shape[-2:]]
        return x + F.interpolate(lr, size=size, mode="bilinear", align_corners=False)

    return answer


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_msrresnet_equals_basicsrs(scale):
    net = make("msrresnet", {"blocks": 3, "width": 8}, scale)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.2)
    assert_equal_answers(net, msrresnet_transcribed(net.state_dict(), scale))


@pytest.mark.parametrize(("name", "arguments", "scale"), ALL, ids=str)
def test_recognised_networks_are_the_ones_that_were_built(name, arguments, scale):
    found = recognise(make(name, arguments, scale).state_dict())
    assert (found.name, found.scale) == (name, scale)
    assert arguments.items() <= found.arguments.items()


@settings(max_examples=20, deadline=None)
@given(blocks=st.integers(1, 12), width=st.integers(1, 12), scale=st.integers(1, 5))
def test_compact_is_recognised_whatever_its_size(blocks, width, scale):
    found = recognise(Compact(blocks=blocks, width=width, scale=scale).state_dict())
    assert found.arguments == {"blocks": blocks, "width": width}
    assert found.scale == scale


# ---------------------------------------------------------------- the networks


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_parameter_counts():
    with torch.device("meta"):
        assert count(RRDBNet()) == count(TheirRRDBNet()) == 16_697_987
        assert count(Compact()) == count(TheirCompact()) == 621_424  # realesr-animevideov3
        assert count(Compact(blocks=32)) == count(TheirCompact(num_conv=32)) == 1_213_296
        assert count(MSRResNet()) == 1_517_571


def test_parameter_count_of_span_as_it_runs():
    layers = ("eval_conv", "conv_cat", "upsampler")
    for width, published in ((52, 498), (48, 426)):  # the paper's SPAN and SPAN-S, in thousands
        state = SPAN(width=width).state_dict()
        weights = [value for key, value in state.items() if any(layer in key for layer in layers)]
        assert sum(weight.numel() for weight in weights) // 1000 == published


def test_an_untrained_rrdbnet_is_nearly_bilinear():
    torch.manual_seed(0)
    lr = torch.rand(1, 3, 20, 20)
    for net in (RRDBNet(blocks=2, width=16), RRDBNet(scale=2, blocks=1, width=8)):
        bilinear = lr
        for _ in range(net.doublings):
            bilinear = F.interpolate(bilinear, scale_factor=2, mode="bilinear")
        inside = slice(net.scale, -net.scale)  # zeros lie beyond the border
        with torch.no_grad():
            error = (net(lr) - bilinear)[..., inside, inside]
        assert error.square().mean().sqrt() < 0.02


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_untrained_span_is_nearly_bilinear(norm, scale):
    torch.manual_seed(0)
    lr = torch.rand(1, 3, 12, 12)
    size = [scale * 12, scale * 12]
    with torch.no_grad():
        error = SPAN(scale=scale, norm=norm)(lr) - F.interpolate(lr, size, mode="bilinear")
    assert error[..., scale:-scale, scale:-scale].square().mean().sqrt() < 0.02


def test_span_runs_as_it_was_trained():
    torch.manual_seed(0)
    net = SPAN(width=8, norm=False)
    lr = torch.rand(2, 3, 9, 7)
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(lr), net.train()(lr), atol=1e-6, rtol=0)
        for parameter in net.parameters():
            parameter.mul_(1.5)
        trained = net(lr)
        state = net.state_dict()
        layer = F.conv2d(
            lr, state["conv_1.eval_conv.weight"], state["conv_1.eval_conv.bias"], padding=1
        )
        torch.testing.assert_close(net.conv_1(lr), layer, atol=1e-5, rtol=0)
        torch.testing.assert_close(net.eval()(lr), trained, atol=1e-4, rtol=0)


@pytest.mark.parametrize("unshuffle", [2, 4])
def test_folded_pictures_may_have_any_size(unshuffle):
    net = RRDBNet(scale=2, blocks=1, width=4, unshuffle=unshuffle).eval()
    with torch.no_grad():
        for height, width in ((1, 1), (3, 5), (6, 4)):
            assert net(torch.rand(1, 3, height, width)).shape == (1, 3, 2 * height, 2 * width)


@pytest.mark.parametrize(
    ("name", "arguments", "scale", "message"),
    [
        ("rrdbnet", {}, 3, r"scale: rrdbnet enlarges by powers of 2 \(got 3\)"),
        ("rrdbnet", {"blocks": 0}, 4, r"generator.blocks: must be 1 or more \(got 0\)"),
        ("rrdbnet", {"unshuffle": 3}, 4, "generator.unshuffle: .*1, 2 or 4"),
        ("msrresnet", {}, 6, r"scale: msrresnet enlarges by 2, 3 or 4 \(got 6\)"),
        ("compact", {"width": 0}, 4, "generator.width: must be 1 or more"),
        ("span", {"width": -1}, 4, "generator.width: must be 1 or more"),
    ],
)
def test_a_wrong_option_is_the_users_error(name, arguments, scale, message):
    with pytest.raises(UserError, match=message):
        GENERATORS.build(name, arguments, scale=scale)


# ---------------------------------------------------------------- mistakes


def assert_one_line_error(path: Path, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        load_generator(path)
    assert "\n" not in str(error.value)


class Payload:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pth_that_wants_to_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("evil.pth", "evil.pt"):
        torch.save({"params_ema": {"conv_first.weight": Payload()}}, name)
        assert_one_line_error(Path(name), f"{name}: refused, .* could run foreign code")
    Path("bare.pth").write_bytes(pickle.dumps({"params_ema": Payload()}))  # without torch's format
    assert_one_line_error(Path("bare.pth"), "bare.pth: damaged, or not a file of weights")
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1, 2],
        {"params": {}},
        {"params": {"a": 1}},
        {"encoder.weight": torch.zeros(2, 2)},
        {"body.0.weight": torch.zeros(2, 2), "body.2.weight": torch.zeros(2, 2)},
        {"model.1.sub.0.RDB1.conv1.0.weight": torch.zeros(())},
    ],
    ids=str,
)
def test_an_unknown_network_names_what_can_be_read(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    assert_one_line_error(
        tmp_path / "x.pth",
        "x.pth: holds no generator .*: RRDBNet .*ESRGAN.*, MSRResNet, Compact .* and SPAN",
    )


def test_a_known_network_with_something_amiss(tmp_path):
    state = make("rrdbnet", {"blocks": 1, "width": 4}, 4).state_dict()
    path = tmp_path / "x.pth"
    torch.save({key: value for key, value in state.items() if key != "conv_hr.bias"}, path)
    assert_one_line_error(path, r"do not fit rrdbnet: conv_hr.bias should be \(4,\) and is absent")
    torch.save({**state, "conv_first.weight": torch.zeros(4, 1, 3, 3)}, path)
    assert_one_line_error(path, r"conv_first.weight should be \(4, 3, 3, 3\) and is \(4, 1, 3, 3\)")
    torch.save({"body.0.conv1x1.weight": torch.zeros(1), **state}, path)
    assert_one_line_error(path, "body.0.conv1x1.weight should be absent")


def test_networks_that_others_do_not_know_are_not_written(tmp_path):
    net = make("srresnet", {"blocks": 1, "width": 4}, 4)
    with pytest.raises(UserError, match=r"other programs do not know SRResNet; .* RRDBNet"):
        write_foreign(tmp_path / "x.pth", net)
    assert not list(tmp_path.iterdir())


def test_the_upscaler_takes_foreign_weights(tmp_path):
    net = theirs("RRDBNet x2plus")
    torch.save({"params_ema": net.state_dict()}, tmp_path / "RealESRGAN_x2plus.pth")
    upscaler = TorchUpscaler.load(tmp_path / "RealESRGAN_x2plus.pth", precision="32-true")
    assert upscaler.scale == 2
    lr = torch.rand(1, 3, 10, 8)
    with torch.no_grad():
        torch.testing.assert_close(upscaler(lr), net(lr), atol=1e-5, rtol=0)

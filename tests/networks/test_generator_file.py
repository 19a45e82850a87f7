"""The generator file and the checkpoint: there and back, and everything that is neither."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

from srgan_lightning.errors import UserError
from srgan_lightning.networks import file_hash, load_generator, save_generator
from srgan_lightning.networks.generators import SRResNet

ARGUMENTS = {"blocks": 1, "width": 8, "norm": "batch", "image_skip": "bicubic"}
FACTS = {"degradation": "blur_bicubic(sigma=1.6)", "steps": 300, "psnr": 28.5, "sets": ["a", "ä"]}


@pytest.fixture
def net() -> SRResNet:
    torch.manual_seed(0)
    net = SRResNet(**ARGUMENTS)
    torch.nn.init.normal_(net.tail[0].weight)
    net(torch.rand(2, 3, 8, 8))  # moves BatchNorm's statistics
    return net


@pytest.fixture
def saved(net, tmp_path) -> Path:
    path = tmp_path / "generator.safetensors"
    save_generator(
        path, net.state_dict(), name="srresnet", arguments=ARGUMENTS, scale=4, facts=FACTS
    )
    return path


def checkpoint(net: SRResNet, **changes: Any) -> dict[str, Any]:
    """What `srgan train` puts into its checkpoints, as far as the generator goes."""
    config = {"generator": {"name": "srresnet", **ARGUMENTS}, "scale": 4, "seed": 1}
    state = {f"generator.{key}": value for key, value in net.state_dict().items()}
    return {
        "state_dict": {**state, "discriminator.weight": torch.zeros(1)},
        "srgan_lightning": {"format_version": 1, "config": config, "facts": FACTS},
        **changes,
    }


def assert_same_net(found, expected) -> None:
    lr = torch.rand(1, 3, 7, 6)
    assert not found.training
    with torch.no_grad():
        assert torch.equal(found(lr), expected.eval()(lr))


def test_a_generator_comes_back_as_it_was(net, saved) -> None:
    found, facts = load_generator(saved)
    assert facts == FACTS
    assert found.scale == 4
    assert_same_net(found, net)


def test_the_metadata_are_plain_strings(saved) -> None:
    with safetensors.safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
        assert file.get_tensor("head.0.weight").dtype == torch.float32
    assert metadata["format"] == "srgan_lightning.generator"
    assert metadata["format_version"] == "1"
    assert metadata["scale"] == "4"
    assert json.loads(metadata["generator"]) == {"name": "srresnet", "arguments": ARGUMENTS}
    assert json.loads(metadata["facts"]) == FACTS


def test_equal_networks_make_equal_files(net, saved, tmp_path) -> None:
    for number in range(4):  # safetensors alone shuffles its metadata
        again = tmp_path / f"{number}.safetensors"
        save_generator(
            again, net.state_dict(), name="srresnet", arguments=ARGUMENTS, scale=4, facts=FACTS
        )
        assert again.read_bytes() == saved.read_bytes()


def test_channels_last_and_gradients_make_no_difference(net, saved, tmp_path) -> None:
    path = tmp_path / "new" / "folder" / "again.safetensors"
    state = dict(net.to(memory_format=torch.channels_last).named_parameters())
    state |= dict(net.named_buffers())
    save_generator(path, state, name="srresnet", arguments=ARGUMENTS, scale=4, facts=FACTS)
    first, second = safetensors.torch.load_file(saved), safetensors.torch.load_file(path)
    assert all(torch.equal(second[key], value) for key, value in first.items())


def test_a_failed_save_leaves_the_old_file_and_nothing_else(net, saved, monkeypatch) -> None:
    before = saved.read_bytes()

    def out_of_space(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", out_of_space)
    with pytest.raises(OSError, match="no space"):
        save_generator(saved, net.state_dict(), name="srresnet", arguments={}, scale=4, facts={})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_checkpoint_gives_its_generator(net, tmp_path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint(net), path)
    found, facts = load_generator(str(path))
    assert facts == FACTS
    assert_same_net(found, net)


def test_a_checkpoint_with_averaged_weights_gives_those(net, tmp_path) -> None:
    path = tmp_path / "last.ckpt"
    averaged = torch.optim.swa_utils.AveragedModel(net)
    content = checkpoint(SRResNet(**ARGUMENTS))
    content["state_dict"] |= {f"ema.{key}": v for key, v in averaged.state_dict().items()}
    torch.save(content, path)
    assert_same_net(load_generator(path)[0], net)


def test_file_hash_is_sha256(tmp_path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_hash(path) == hashlib.sha256(b"abc").hexdigest()


class Payload:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickle_that_wants_to_run_code_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "srgan_lightning": Payload()}, "evil.ckpt")
    assert_one_line_error("evil.ckpt", "evil.ckpt: refused, .* could run foreign code")
    assert not Path("executed").exists()


def assert_one_line_error(path: Path | str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        load_generator(path)
    assert "\n" not in str(error.value)


def test_what_is_no_model_at_all(saved, tmp_path) -> None:
    assert_one_line_error(tmp_path / "nothing.ckpt", "nothing.ckpt: no such file")
    assert_one_line_error(tmp_path / "nothing.safetensors", "nothing.safetensors: no such file")
    assert_one_line_error(
        tmp_path / "net.onnx", r"a model is a .safetensors or a .ckpt file of .*, a .pth"
    )
    for suffix in ("ckpt", "safetensors"):
        for content in (b"", b"hello world\n", bytes(range(64)), b"\x80\x04."):
            (tmp_path / f"x.{suffix}").write_bytes(content)
            assert_one_line_error(tmp_path / f"x.{suffix}", "damaged, or not a file of weights")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(saved.read_bytes()[:-100])
    assert_one_line_error(cut, "cut.safetensors: damaged")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format": "other"},
            "holds no generator of srgan-lightning and none of the networks .*RRDBNet",
        ),
        ({"format_version": "2"}, "has format version 2, and this program reads version 1"),
        ({"scale": None}, "metadata is incomplete .'scale'"),
        ({"facts": "{"}, "metadata is incomplete"),
        ({"scale": "2"}, r"do not fit srresnet: upsample.1.0.bias should be absent"),
        ({"generator": '{"name": "mine", "arguments": {}}'}, "unknown generator 'mine'; |known:"),
        (
            {"generator": '{"name": "srresnet", "arguments": {"width": 9}}'},
            r"do not fit srresnet: body.0.branch.0.weight should be \(9, 9, 3, 3\) and is \(8, 8",
        ),
    ],
)
def test_metadata_that_cannot_be_built(saved, changes, message) -> None:
    with safetensors.safe_open(saved, framework="pt") as file:
        metadata = {**file.metadata(), **changes}
    metadata = {key: value for key, value in metadata.items() if value is not None}
    safetensors.torch.save_file(safetensors.torch.load_file(saved), saved, metadata)
    assert_one_line_error(saved, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"srgan_lightning": {"format_version": 7}}, "has format version 7"),
        ({"srgan_lightning": None}, "is incomplete as a checkpoint"),
        ({"srgan_lightning": {"format_version": 1, "facts": {}}}, "incomplete .* .config."),
        (
            {"state_dict": {"other.weight": torch.zeros(1)}},
            "incomplete .* .the generator's weights",
        ),
        ({"state_dict": {"generator.head.0.bias": torch.zeros(1)}}, "do not fit srresnet"),
    ],
)
def test_checkpoints_that_cannot_be_built(net, tmp_path, changes, message) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint(net, **changes), path)
    assert_one_line_error(path, message)


def test_a_checkpoint_of_another_program(net, tmp_path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": net.state_dict()}, path)
    assert_one_line_error(path, "is not a checkpoint of `srgan train`")

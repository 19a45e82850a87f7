"""Network interpolation: the ends are the sources, bit for bit, and the middle is the mean."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS, file_hash, load_generator, save_generator
from srgan_lightning.networks.blend import Blend, interpolate_weights
from srgan_lightning.networks.foreign import write_foreign


def save(path: Path, seed: int, name: str = "compact", scale: int = 4, **arguments) -> Path:
    torch.manual_seed(seed)
    net = GENERATORS.build(name, arguments, scale=scale)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = net.state_dict()
    save_generator(path, state, name=name, arguments=arguments, scale=scale, facts={"seed": seed})
    return path


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    options = {"blocks": 1, "width": 8}
    return (
        save(tmp_path / "psnr.safetensors", 1, **options),
        save(tmp_path / "gan.safetensors", 2, **options),
    )


@given(alpha=st.floats(0, 1))
def test_weights_lie_between_and_the_ends_are_exact(alpha) -> None:
    torch.manual_seed(0)
    first = {"w": torch.randn(5), "tracked": torch.tensor(3)}
    second = {"w": torch.randn(5), "tracked": torch.tensor(9)}
    between = interpolate_weights(first, second, alpha)
    assert between["tracked"] == 3
    torch.testing.assert_close(between["w"], (1 - alpha) * first["w"] + alpha * second["w"])
    assert torch.equal(interpolate_weights(first, second, 0)["w"], first["w"])
    assert torch.equal(interpolate_weights(first, second, 1)["w"], second["w"])


def test_files_along_the_way(tmp_path, pair) -> None:
    between = Blend(*pair)
    lr = torch.rand(1, 3, 6, 5)
    nets = {}
    for alpha in (0.0, 0.8, 1.0, 0.3):  # one after the other: none leans on the one before
        between.write(tmp_path / "out.safetensors", alpha)
        nets[alpha], facts = load_generator(tmp_path / "out.safetensors")
    with torch.no_grad():
        for end, path in zip((0.0, 1.0), pair, strict=True):
            assert torch.equal(nets[end](lr), load_generator(path)[0](lr))
    for key, value in nets[0.8].state_dict().items():
        ends = nets[0.0].state_dict()[key], nets[1.0].state_dict()[key]
        torch.testing.assert_close(value, 0.2 * ends[0] + 0.8 * ends[1])
    assert facts["blend"] == {
        "alpha": 0.3,
        "sources": [
            {"file": path.name, "sha256": file_hash(path), "facts": {"seed": seed}}
            for seed, path in enumerate(pair, start=1)
        ],
    }


def test_the_joined_convolutions_of_span_are_those_of_the_blend(tmp_path) -> None:
    files = [save(tmp_path / f"{s}.safetensors", s, "span", width=6, norm=False) for s in (1, 2)]
    Blend(*files).write(tmp_path / "half.safetensors", 0.5)
    net, _ = load_generator(tmp_path / "half.safetensors")
    weight, bias = net.conv_1.fused()
    assert torch.equal(net.state_dict()["conv_1.eval_conv.weight"], weight)
    stored = GENERATORS.build("span", {"width": 6, "norm": False}, scale=4)
    stored.load_state_dict(net.state_dict())
    assert torch.equal(stored.conv_1.eval_conv.bias, bias)


def test_foreign_files_blend_with_ours_and_into_theirs(tmp_path, pair) -> None:
    write_foreign(tmp_path / "gan.pth", load_generator(pair[1])[0])
    Blend(pair[0], tmp_path / "gan.pth").write(tmp_path / "half.pth", 0.5)
    Blend(*pair).write(tmp_path / "half.safetensors", 0.5)
    lr = torch.rand(1, 3, 6, 5)
    with torch.no_grad():
        theirs, ours = (
            load_generator(tmp_path / f"half.{suffix}")[0](lr) for suffix in ("pth", "safetensors")
        )
    assert torch.equal(theirs, ours)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"width": 16, "blocks": 1}, "width is 8 in one and 16 in the other"),
        ({"width": 8, "blocks": 1, "scale": 2}, "scale is 4 in one and 2 in the other"),
        ({"width": 8, "blocks": 2}, "blocks is 1 in one and 2 in the other"),
    ],
)
def test_only_the_same_network_is_blended(tmp_path, pair, other, message) -> None:
    path = save(tmp_path / "other.safetensors", 3, **other)
    with pytest.raises(UserError, match=message) as error:
        Blend(pair[0], path)
    assert "psnr.safetensors and" in str(error.value)
    assert "\n" not in str(error.value)


def test_another_network_is_another_network(tmp_path, pair) -> None:
    path = save(tmp_path / "other.safetensors", 3, "msrresnet", blocks=1, width=8)
    with pytest.raises(UserError, match="generator is 'compact' in one and 'msrresnet' in the"):
        Blend(pair[0], path)


def test_defaults_need_not_be_written_down(tmp_path) -> None:
    Blend(
        save(tmp_path / "a.safetensors", 1, "srresnet", blocks=1, width=4),
        save(tmp_path / "b.safetensors", 2, "srresnet", blocks=1, width=4, norm="batch"),
    )


def test_a_network_blended_with_itself_stays(tmp_path, pair) -> None:
    Blend(pair[0], pair[0]).write(tmp_path / "same.safetensors", 0.5)
    for key, value in load_generator(tmp_path / "same.safetensors")[0].state_dict().items():
        assert torch.equal(value, load_generator(pair[0])[0].state_dict()[key])

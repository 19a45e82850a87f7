from pathlib import Path

import pytest
import torch
from spandrel import ModelLoader
from typer.testing import CliRunner, Result

from srgan_lightning import cli
from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS, load_generator, save_generator


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    return save(tmp_path / "a.safetensors", 1), save(tmp_path / "b.safetensors", 2)


def save(path: Path, seed: int, name: str = "compact", **arguments) -> Path:
    arguments = {"blocks": 1, "width": 8, **arguments}
    torch.manual_seed(seed)
    state = GENERATORS.build(name, arguments, scale=4).state_dict()
    save_generator(path, state, name=name, arguments=arguments, scale=4, facts={})
    return path


def call(*arguments: str | Path | float) -> Result:
    return CliRunner().invoke(cli.app, ["blend", *map(str, arguments)])


def test_one_alpha_makes_one_file(tmp_path, pair):
    out = tmp_path / "new" / "soft.safetensors"
    result = call(*pair, "--alpha", 0.8, "-o", out)
    assert result.exit_code == 0, result.output
    assert "0.2 a.safetensors + 0.8 b.safetensors" in result.stdout
    net, facts = load_generator(out)
    assert facts["blend"]["alpha"] == 0.8
    a, b = (load_generator(path)[0].body[0].weight for path in pair)
    torch.testing.assert_close(net.body[0].weight, 0.2 * a + 0.8 * b)


def test_a_pth_opens_in_other_programs(tmp_path, pair):
    assert call(*pair, "--alpha", 0.5, "-o", tmp_path / "soft.pth").exit_code == 0
    assert "params_ema" in torch.load(tmp_path / "soft.pth", weights_only=True)
    lr = torch.rand(1, 3, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            load_generator(tmp_path / "soft.pth")[0](lr),
            ModelLoader().load_from_file(tmp_path / "soft.pth").model(lr),
        )


def test_a_sweep_makes_a_file_for_each_alpha(tmp_path, pair):
    result = call(*pair, "--sweep", "0, 0.25,1", "-o", tmp_path / "curve")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "curve").iterdir())
    assert names == [f"alpha_{alpha}.safetensors" for alpha in ("0.00", "0.25", "1.00")]
    for name in names:
        alpha = load_generator(tmp_path / "curve" / name)[1]["blend"]["alpha"]
        assert name == f"alpha_{alpha:.2f}.safetensors"


def test_nothing_is_overwritten_unasked(tmp_path, pair):
    before = pair[0].read_bytes()
    refused = call(*pair, "--alpha", 0.5, "-o", pair[0])
    assert "is there already; --overwrite replaces it" in str(refused.exception)
    assert pair[0].read_bytes() == before
    assert call(*pair, "--alpha", 0.5, "-o", pair[0], "--overwrite").exit_code == 0
    assert pair[0].read_bytes() != before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "say either --alpha, .* or --sweep"),
        (["--alpha", 0.5, "--sweep", "0,1"], "say either --alpha, .* or --sweep"),
        (["--alpha", 1.5], r"--alpha: must be from 0 .* to 1 .* \(got 1.5\)"),
        (["--alpha", "nan"], "--alpha: must be from 0"),
        (["--sweep", "0,2"], r"--sweep: must be from 0 .* \(got 2\)"),
        (["--sweep", "0,,1"], "--sweep: '' is no number"),
        (["--sweep", "0.125"], "--sweep: 0.125 has more than the two digits"),
        (["--alpha", 1, "-o", "out.ckpt"], "out.ckpt: name a .safetensors or a .pth file"),
        (["--alpha", 1, "-o", "in_the_way/x.pth"], "x.pth: cannot be written"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path, pair, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    Path("in_the_way").write_text("")
    before = sorted(tmp_path.iterdir())
    result = call(*pair, "-o", "out.safetensors", *options)
    assert isinstance(result.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise result.exception
    assert "\n" not in str(result.exception)
    assert sorted(tmp_path.iterdir()) == before


def test_networks_must_be_the_same(tmp_path, pair):
    other = save(tmp_path / "other.safetensors", 3, width=6)
    result = call(pair[0], other, "--alpha", 0.5, "-o", tmp_path / "out.safetensors")
    assert "only files of the same network can be blended" in str(result.exception)


def test_a_network_that_others_do_not_know_is_no_pth(tmp_path):
    files = [save(tmp_path / f"{seed}.safetensors", seed, "srresnet") for seed in (1, 2)]
    result = call(*files, "--alpha", 0.5, "-o", tmp_path / "out.pth")
    assert "other programs do not know SRResNet" in str(result.exception)
    assert call(*files, "--alpha", 0.5, "-o", tmp_path / "out.safetensors").exit_code == 0

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from srgan_lightning import cli
from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS, load_generator, save_generator


@pytest.fixture
def source(tmp_path) -> Path:
    arguments = {"blocks": 1, "width": 8}
    state = GENERATORS.build("compact", arguments, scale=2).state_dict()
    path = tmp_path / "net.safetensors"
    save_generator(path, state, name="compact", arguments=arguments, scale=2, facts={"seed": 3})
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)])


def test_onnx_comes_with_its_table_and_card(tmp_path, source):
    out = tmp_path / "new" / "model.onnx"
    result = call(source, "-o", out)
    assert result.exit_code == 0, result.output
    assert "ONNX Runtime (float32) against PyTorch" in result.output
    assert "2 x 24 x 61" in result.output
    assert "compact x2" in result.output
    assert sorted(path.name for path in out.parent.iterdir()) == ["model.md", "model.onnx"]


def test_safetensors_of_another_programs_weights(tmp_path, source):
    foreign = tmp_path / "foreign.pth"
    torch.save({"params": load_generator(source)[0].state_dict()}, foreign)
    out = tmp_path / "own.safetensors"
    result = call(foreign, "-o", out, "--format", "safetensors", "--license", "MIT")
    assert result.exit_code == 0, result.output
    generator, facts = load_generator(out)
    assert facts["license"] == "MIT"
    assert facts["foreign"]["file"] == "foreign.pth"
    lr = torch.rand(1, 3, 5, 6)
    with torch.inference_mode():
        assert torch.equal(generator(lr), load_generator(source)[0](lr))
    card = (tmp_path / "own.md").read_text()
    assert "| licence of the weights | MIT |" in card
    assert "srgan upscale photo.jpg -o big.png --model own.safetensors" in card


def test_nothing_is_overwritten_unasked(tmp_path, source):
    options = ("--format", "safetensors")
    refused = call(source, "-o", source, *options)
    assert "net.safetensors: is there already; --overwrite replaces it" in str(refused.exception)
    (tmp_path / "x.md").write_text("mine")
    refused = call(source, "-o", tmp_path / "x.safetensors", *options)
    assert "x.md: is there already" in str(refused.exception)
    assert (tmp_path / "x.md").read_text() == "mine"
    assert call(source, "-o", tmp_path / "x.safetensors", *options, "--overwrite").exit_code == 0
    assert "# x.safetensors" in (tmp_path / "x.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x.pth"], "x.pth: name a .onnx file"),
        (["-o", "x.onnx", "--format", "safetensors"], "x.onnx: name a .safetensors file"),
        (["-o", "x.safetensors", "--format", "safetensors", "--fp16"], "leave out --format"),
        (["-o", "x.safetensors", "--format", "safetensors", "--int8"], "leave out --format"),
        (["-o", "x.onnx", "--fp16", "--int8"], "--fp16 and --int8 exclude each other"),
        (["-o", "x.onnx", "--calibration", "."], "--calibration is for --int8; give both"),
        (["-o", "x.onnx", "--int8", "--calibration", "absent"], "absent: no such folder"),
        (["-o", "in_the_way/x.safetensors", "--format", "safetensors"], "cannot be written"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path, source, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("in_the_way").write_text("")
    before = sorted(tmp_path.iterdir())
    result = call(source, *arguments)
    assert isinstance(result.exception, UserError), result.output
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_not_there_is_told(tmp_path):
    result = call("absent.ckpt", "-o", tmp_path / "x.onnx")
    assert "absent.ckpt: no such file" in str(result.exception)


def test_a_checkpoint_becomes_a_generator_file(tmp_path):
    checkpoint = Path(__file__).parents[1] / "fixtures/checkpoints/v1/checkpoints/last.ckpt"
    out = tmp_path / "own.safetensors"
    assert call(checkpoint, "-o", out, "--format", "safetensors").exit_code == 0
    lr = torch.rand(1, 3, 5, 6)
    (generator, facts), (expected, known) = load_generator(out), load_generator(checkpoint)
    assert facts == known
    with torch.inference_mode():
        assert torch.equal(generator(lr), expected(lr))
    assert f"| degradation | {facts['degradation']} |" in (tmp_path / "own.md").read_text()

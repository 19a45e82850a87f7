import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from PIL.ExifTags import Base
from typer.testing import CliRunner, Result

from srgan_lightning.commands.upscale import upscale
from srgan_lightning.errors import UserError
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import file_hash, save_generator

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(upscale)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    arguments = {"blocks": 1, "width": 8, "image_skip": "bicubic", "norm": "none"}
    path = tmp_path / "tiny.safetensors"
    state = SRResNet(**arguments).state_dict()
    save_generator(path, state, name="srresnet", arguments=arguments, scale=4, facts={})
    return path


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    draws = np.random.default_rng(0)
    for name, (height, width) in {"a.png": (12, 20), "deep/b.webp": (9, 7)}.items():
        pixels = draws.integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, lossless=True)
    return folder


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_folder_is_enlarged(tmp_path, model, photographs):
    out = tmp_path / "out"
    result = call(photographs, "-o", out, "--model", model, "--precision", "32-true")
    assert result.exit_code == 0, result.output
    assert "2 of 2 pictures enlarged" in result.stdout
    upscaler = TorchUpscaler.load(model, precision="32-true")
    for source, target in (("a.png", "a.png"), ("deep/b.webp", "deep/b.png")):
        with Image.open(photographs / source) as image:
            expected = upscaler.enlarge(np.asarray(image.convert("RGB")))
        with Image.open(out / target) as image:
            assert (np.asarray(image) == expected).all()


def test_outputs_carry_their_provenance(tmp_path, model, photographs):
    big = tmp_path / "big.png"
    result = call(
        photographs / "a.png", "-o", big, "--model", model, "--tile", 8, "--precision", "32-true"
    )
    assert result.exit_code == 0, result.output
    with Image.open(big) as image:
        assert image.size == (80, 48)
        text = image.text
    assert text["Software"].startswith("srgan-lightning ")
    assert text["Model"] == f"tiny.safetensors sha256:{file_hash(model)}"
    assert text["Precision"] == "32-true"
    assert text["Tile"].startswith("8, halo ")
    assert str(tmp_path) not in str(text)


def test_tiles_do_not_show(tmp_path, model, photographs):
    for tile in (0, 5):
        target = tmp_path / f"{tile}.png"
        options = ("--tile", tile, "--precision", "32-true")
        assert call(photographs / "a.png", "-o", target, "--model", model, *options).exit_code == 0
    with Image.open(tmp_path / "0.png") as whole, Image.open(tmp_path / "5.png") as tiled:
        difference = np.asarray(whole).astype(int) - np.asarray(tiled)
    assert abs(difference).max() <= 1


def test_unreadable_files_are_reported_and_the_rest_is_done(tmp_path, model, photographs):
    (photographs / "0_no_header.png").write_bytes(b"nothing of the kind")
    whole = (photographs / "a.png").read_bytes()
    (photographs / "1_truncated.png").write_bytes(whole[: len(whole) // 2])
    result = call(photographs, "-o", tmp_path / "out", "--model", model)
    assert result.exit_code == 1
    assert "2 of 4 pictures enlarged" in result.stdout
    assert "not enlarged" in result.stderr
    assert "0_no_header.png" in result.stderr
    assert "1_truncated.png" in result.stderr
    written = sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert written == ["a.png", "b.png"]


def test_nothing_is_overwritten_unasked(tmp_path, model, photographs):
    out = tmp_path / "out"
    assert call(photographs, "-o", out, "--model", model).exit_code == 0
    before = (out / "a.png").stat().st_mtime_ns
    refused = call(photographs, "-o", out, "--model", model)
    assert isinstance(refused.exception, UserError)
    assert "--overwrite" in str(refused.exception)
    assert (out / "a.png").stat().st_mtime_ns == before
    assert call(photographs, "-o", out, "--model", model, "--overwrite").exit_code == 0
    assert (out / "a.png").stat().st_mtime_ns > before


def test_resumed_it_does_only_what_is_missing(tmp_path, model, photographs):
    out = tmp_path / "out"
    assert call(photographs, "-o", out, "--model", model).exit_code == 0
    before = (out / "a.png").stat().st_mtime_ns
    (out / "deep/b.png").unlink()
    resumed = call(photographs, "-o", out, "--model", model, "--resume")
    assert "1 of 1 pictures enlarged" in resumed.stdout
    assert (out / "a.png").stat().st_mtime_ns == before
    assert (out / "deep/b.png").is_file()
    again = call(photographs, "-o", out, "--model", model, "--resume")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "all is there already" in again.stderr


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (("--scale", 2), (40, 24)),
        (("--scale", 2.5), (50, 30)),
        (("--width", 30), (30, 18)),
        (("--height", 30), (50, 30)),
        (("--fit", "60x60"), (60, 36)),
    ],
)
def test_any_size_is_had(tmp_path, model, photographs, asked, size):
    target = tmp_path / "big.png"
    assert call(photographs / "a.png", "-o", target, "--model", model, *asked).exit_code == 0
    with Image.open(target) as big:
        assert big.size == size


def test_patterns_are_expanded(tmp_path, model, photographs):
    out = tmp_path / "out"
    assert call(f"{photographs}/**/*.webp", "-o", out, "--model", model).exit_code == 0
    assert [path.name for path in out.iterdir()] == ["b.png"]
    refused = call(f"{photographs}/*.tif", "-o", out, "--model", model)
    assert "*.tif: matches nothing that can be enlarged" in str(refused.exception)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_picture_comes_and_goes_through_pipes(tmp_path, model, photographs, suffix):
    source = tmp_path / f"in.{suffix}"
    with Image.open(photographs / "a.png") as image:
        image.save(source)
    assert call(source, "-o", tmp_path / f"big.{suffix}", "--model", model).exit_code == 0
    command = [sys.executable, "-m", "srgan_lightning", "upscale", "-", "-o", "-", "--model", model]
    done = subprocess.run(command, input=source.read_bytes(), capture_output=True, check=True)
    assert b"1 of 1 pictures enlarged to -" in done.stderr
    with (
        Image.open(io.BytesIO(done.stdout)) as piped,
        Image.open(tmp_path / f"big.{suffix}") as big,
    ):
        assert piped.format == big.format
        assert (np.asarray(piped) == np.asarray(big)).all()


def test_cells_ensemble_and_consistency_are_told(tmp_path, model, photographs):
    target = tmp_path / "big.png"
    options = ("--tiling", "cells", "--ensemble", "--consistency")
    with pytest.warns(UserWarning, match="was trained for an unknown degradation"):
        result = call(photographs / "a.png", "-o", target, "--model", model, *options)
    assert result.exit_code == 0
    with Image.open(target) as big:
        assert big.text["Tile"] == "cells of 96, no halo"
        assert big.text["Ensemble"] == "mean of 8 turned and mirrored"
        assert big.text["Consistency"] == "bicubic(scale=4, quantize=False)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--overwrite", "--resume"), "exclude each other"),
        (("--tile", "many"), "'many' is neither auto nor a number"),
        (("--fit", "12"), "'12' is no box; say it as 1920x1080"),
        (("--scale", 2, "--width", 9), "say the same thing twice"),
        (("--backend", "onnx"), "`srgan export` makes an ONNX file"),
    ],
)
def test_options_that_do_not_fit_are_told(tmp_path, model, photographs, options, message):
    result = call(photographs, "-o", tmp_path / "out", "--model", model, *options)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_size_beyond_the_model_s_is_reported(tmp_path, model, photographs):
    result = call(photographs, "-o", tmp_path / "out", "--model", model, "--width", 40)
    assert result.exit_code == 1
    assert "1 of 2 pictures enlarged" in result.stdout
    assert "is more than 4 times 7x9" in result.stderr


def test_names_get_a_suffix(tmp_path, model, photographs):
    assert call(photographs, "-o", photographs, "--model", model, "--suffix", "_x4").exit_code == 0
    assert (photographs / "a_x4.png").is_file()
    assert (photographs / "deep/b_x4.png").is_file()


def test_an_output_that_cannot_be_written_is_reported(tmp_path, model, photographs):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/deep").write_text("in the way")
    result = call(photographs, "-o", tmp_path / "out", "--model", model)
    assert result.exit_code == 1
    assert "b.png: cannot be written" in result.stderr
    assert (tmp_path / "out/a.png").is_file()


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"IN": "absent.jpg"}, "absent.jpg: no such file or folder"),
        ({"--model": "absent.safetensors"}, "absent.safetensors: no such file"),
        ({"--model": "IN"}, "a model is a .safetensors or a .ckpt"),
        ({"--device": "gpu"}, "device: 'gpu' is none"),
        ({"--precision": "16-mixed"}, "16-mixed wants a GPU"),
    ],
)
def test_mistakes_end_before_any_work(tmp_path, model, photographs, replaced, message):
    asked = {
        "IN": photographs / "a.png",
        "--model": model,
        "--device": "cpu",
        "--precision": "auto",
    }
    for key, value in replaced.items():
        asked[key] = asked["IN"] if value == "IN" else value
    options = [part for key in ("--model", "--device", "--precision") for part in (key, asked[key])]
    result = call(asked["IN"], "-o", tmp_path / "out", *options)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_plugin_brings_the_model_s_network(tmp_path, photographs, monkeypatch):
    monkeypatch.setattr(GENERATORS, "_classes", dict(GENERATORS._classes))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("upscale_plugin.py").write_text(
        "from srgan_lightning.networks import GENERATORS\n"
        "from srgan_lightning.networks.generators.srresnet import SRResNet\n"
        "@GENERATORS.register('mine')\n"
        "class Mine(SRResNet):\n"
        "    pass\n"
    )
    options = {"blocks": 1, "width": 8}
    state = SRResNet(**options).state_dict()
    save_generator("m.safetensors", state, name="mine", arguments=options, scale=4, facts={})
    asked = (photographs / "a.png", "-o", "big.png", "--model", "m.safetensors")
    assert "unknown generator 'mine'" in str(call(*asked).exception)
    assert call(*asked, "--plugin", "upscale_plugin").exit_code == 0
    with Image.open("big.png") as big:
        assert big.size == (80, 48)


def test_help_teaches():
    text = call("--help").stdout
    for word in ("--model", "--tile", "--overwrite", "Example", "IN..."):
        assert word in text


def test_everything_else_in_the_file_is_kept(tmp_path):
    source, target = tmp_path / "a.tif", tmp_path / "big.tif"
    grey = np.full((5, 6), 65535, np.uint16)
    exif = Image.Exif()
    exif[Base.Artist], exif[Base.Orientation] = "Ada", 6
    Image.fromarray(grey).save(source, exif=exif, dpi=(300, 300))
    options = ("--model", "bicubic", "--precision", "bf16-mixed")
    assert call(source, "-o", target, *options).exit_code == 0
    with Image.open(target) as big:
        assert (np.asarray(big) == 65535).all()
        assert big.mode == "I;16"
        assert big.size == (20, 24)
        tags = big.getexif()
        assert Base.Orientation not in tags
        assert tags[Base.Artist] == "Ada"
        assert tags[Base.Software].startswith("srgan-lightning ")
        told = "Model: bicubic; Precision: 32-true; Tile: as memory allows, halo 2"
        assert tags[Base.ImageDescription] == told
        assert big.info["dpi"] == (300, 300)


def test_what_cannot_be_kept_is_said(tmp_path, photographs):
    with pytest.warns(UserWarning, match=r"big\.bmp: written as BMP: no place for its provenance"):
        call(photographs / "a.png", "-o", tmp_path / "big.bmp", "--model", "bicubic")
    assert (tmp_path / "big.bmp").is_file()

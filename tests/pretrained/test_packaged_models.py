"""The packaged models: whole, true to their ONNX files, and of honest colour."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import srgan_lightning.pretrained as room
from srgan_lightning.cli import app
from srgan_lightning.errors import UserError
from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.networks import load_generator
from srgan_lightning.pretrained import located, pretrained
from srgan_lightning.samples import sample_folder

NAMES = list(pretrained())
PICTURE = sample_folder("heldout") / "casa-mila.jpg"


@pytest.mark.parametrize("name", NAMES)
def test_files_are_those_that_were_packaged_and_small(name: str):
    entry = pretrained()[name]
    assert located(name) == entry.weights
    assert located(name, suffix=".onnx") == entry.onnx
    assert entry.weights.stat().st_size + entry.onnx.stat().st_size < 3e6
    assert entry.card.read_text().startswith(f"# {name}")


def test_another_file_in_their_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "FOLDER", tmp_path)
    (tmp_path / "photo-gan.safetensors").write_bytes(b"something else")
    with pytest.raises(UserError, match="is not the file that was packaged"):
        located("photo-gan")


def test_a_file_so_called_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("photo-gan").mkdir()
    assert located("photo-gan") == Path("photo-gan")


@pytest.mark.parametrize("name", NAMES)
def test_onnx_and_torch_agree(name: str):
    picture = np.asarray(Image.open(PICTURE).convert("RGB").crop((20, 30, 83, 71)))
    sr = [
        np.concatenate(list(upscaler.strips(picture, depth=16)))
        for upscaler in (
            load_upscaler(name, backend="torch", device="cpu", precision="32-true"),
            load_upscaler(name, backend="onnx", device="cpu"),
        )
    ]
    np.testing.assert_allclose(*sr, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0, 64, 128, 192, 255])
def test_flat_areas_keep_their_level(name: str, level: int):
    flat = np.full((24, 24, 3), level, np.uint8)
    upscaler = load_upscaler(name, backend="torch", device="cpu", precision="32-true")
    sr = np.concatenate(list(upscaler.strips(flat, depth=8)))
    inner = np.clip(np.rint(sr[32:-32, 32:-32] * 255), 0, 255)
    assert abs(inner.mean() - level) <= (0 if level in (0, 255) else 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_photograph_keeps_its_colours(name: str):
    picture = np.asarray(Image.open(PICTURE).convert("RGB").crop((0, 0, 96, 96)))
    upscaler = load_upscaler(name, backend="torch", device="cpu", precision="32-true")
    sr = np.concatenate(list(upscaler.strips(picture, depth=8))).clip(0, 1) * 255
    assert np.abs(sr.mean((0, 1)) - picture.mean((0, 1))).max() <= 1.0


def test_spandrel_opens_them():
    spandrel = pytest.importorskip("spandrel")
    generator, _ = load_generator("photo-psnr")
    theirs = spandrel.ModelLoader("cpu").load_from_file(located("photo-psnr"))
    lr = torch.rand(1, 3, 20, 17)
    with torch.inference_mode():
        torch.testing.assert_close(theirs.model.float()(lr), generator(lr), atol=1e-5, rtol=0)


def test_auto_chooses_by_the_file_says_so_and_writes_it_down(tmp_path: Path):
    small = Image.open(PICTURE).convert("RGB").crop((0, 0, 32, 24))
    small.save(tmp_path / "a.jpg")
    small.save(tmp_path / "b.png")
    result = CliRunner().invoke(app, ["upscale", str(tmp_path / "a.jpg"), str(tmp_path / "b.png")])
    assert result.exit_code == 0, result.output
    assert "model auto: photo-real, for a.jpg" in result.stderr
    assert "model auto: photo-gan, for b.png" in result.stderr
    with Image.open(tmp_path / "a_enlarged.png") as enlarged:
        assert enlarged.size == (128, 96)
        assert any("photo-real" in str(value) for value in enlarged.info.values())


def test_a_folder_is_enlarged_beside_itself(tmp_path: Path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.open(PICTURE).convert("RGB").crop((0, 0, 16, 12)).save(photos / "a.png")
    result = CliRunner().invoke(app, ["upscale", str(photos)])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "photos_enlarged" / "a.png") as enlarged:
        assert enlarged.size == (64, 48)
    again = CliRunner().invoke(app, ["upscale", str(photos)])
    assert isinstance(again.exception, UserError)
    assert "is there already" in str(again.exception)


def test_a_small_photograph_is_enlarged_without_torch(tmp_path: Path):
    Image.open(PICTURE).convert("RGB").crop((0, 0, 32, 24)).save(tmp_path / "a.jpg")
    code = (
        "import sys; from srgan_lightning.cli import main\n"
        "sys.argv = ['srgan', 'upscale', 'a.jpg']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "a_enlarged.png").is_file()


def test_they_are_listed():
    result = CliRunner().invoke(app, ["models"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(name in result.output for name in NAMES)

"""What is in the box does what its registry says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spandrel
import torch
from PIL import Image

import srgan_lightning as sr
from srgan_lightning import cli
from srgan_lightning.degradations import Burst
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.cost import costs_of
from srgan_lightning.export.write import export_onnx
from srgan_lightning.inference.load import QUICK, load_upscaler
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import fuse
from srgan_lightning.multiframe.fusion.learned import fuse_learned, load_fuser
from srgan_lightning.networks.blend import Blend
from srgan_lightning.networks.files import file_hash
from srgan_lightning.networks.weights import read_generator
from srgan_lightning.pretrained import BOX, boxed, locate
from srgan_lightning.pretrained import box as module
from srgan_lightning.pretrained.card import card
from srgan_lightning.samples import sample_folder

MODELS = [*BOX]
SINGLE = [name for name, model in BOX.items() if not model.fuses]
LEVELS = (0, 1, 64, 128, 254, 255)


@pytest.fixture
def photograph() -> np.ndarray:
    with Image.open(sample_folder("heldout") / "casa-mila.jpg") as image:
        return np.asarray(image.crop((100, 100, 148, 140)))


def test_the_box_holds_five_models_and_is_small():
    assert SINGLE == ["photo-psnr", "photo-gan", "photo-real", "cosmic"]
    assert [*SINGLE, "photo-burst"] == MODELS
    assert all(model.weights.stat().st_size <= 3e6 for model in BOX.values())
    weights, graphs = (sorted(module.FOLDER.glob(f"*{end}")) for end in (".safetensors", ".onnx"))
    assert [path.stem for path in weights] == sorted(MODELS)
    assert [path.stem for path in graphs] == sorted(SINGLE)
    assert sum(path.stat().st_size for path in [*weights, *graphs]) < 12e6


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_what_is_registered(name):
    model = BOX[name]
    assert file_hash(model.weights) == model.sha256
    stored = read_generator(name)
    assert {"name": stored.name, **stored.arguments} == model.generator
    assert (stored.scale, stored.facts["degradation"]) == (model.scale, model.degradation)
    assert stored.facts["license"] == model.license
    assert {tensor.dtype for tensor in stored.tensors.values()} == {torch.float16}
    assert costs_of(sr.load_generator(name))["parameters"] == model.parameters
    assert model.page.read_text(encoding="utf-8") == card(model)
    assert model.purpose
    for picture in model.pictures:
        assert f"]({picture.name})" in card(model)
        assert picture.stat().st_size < 300_000
    for entry in model.figures:
        assert "LR by" in entry["stamp"]
        assert name in entry["means"]


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", SINGLE)
def test_flat_areas_keep_their_colour(name, backend):
    """Beyond the reach of the picture's border, where convolutions see zeros, to half a level."""
    upscaler = load_upscaler(name, backend=backend, device="cpu", tile=None)
    side = 2 * upscaler.halo + 4
    for level in LEVELS:
        flat = upscaler.enlarge(np.full((side, side, 3), level, np.uint8)).astype(int)
        inner = flat[4 * upscaler.halo : -4 * upscaler.halo, 4 * upscaler.halo : -4 * upscaler.halo]
        assert abs(inner.mean() - level) <= 0.5
        if level in (0, 255):
            assert (inner == level).all()
        assert abs(flat - level).max() <= 10


@pytest.mark.parametrize("name", SINGLE)
def test_onnx_runtime_makes_what_torch_makes(name, photograph):
    ours = load_upscaler(name, backend="torch", device="cpu", precision="32-true")
    theirs = load_upscaler(name, backend="onnx")
    assert (theirs.model, theirs.scale, theirs.halo) == (ours.model, ours.scale, ours.halo)
    assert theirs.model == f"{name} sha256:{BOX[name].sha256}"
    assert theirs.degradation == ours.degradation
    lr = photograph.astype(np.float32) / 255
    assert abs(theirs.enlarge(lr) - ours.enlarge(lr)).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", SINGLE)
def test_a_model_can_be_exported(name, tmp_path):
    exported = export_onnx(name, tmp_path / "model.onnx")
    assert exported.description.license == BOX[name].license
    assert max(row.max_abs for row in exported.description.parity) < 1e-4


@pytest.mark.parametrize("name", SINGLE)
def test_an_independent_reader_opens_the_weights(name, photograph):
    network = spandrel.ModelLoader(device="cpu").load_from_file(BOX[name].weights)
    lr = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        theirs = network.model.float()(lr)
        ours = sr.load_generator(name)(lr)
    assert (network.scale, network.architecture.name) == (4, "RealESRGAN Compact")
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-5)


def test_photo_burst_is_nearer_to_the_photograph_than_the_most_probable_picture():
    with Image.open(sample_folder("heldout") / "casa-mila.jpg") as image:
        hr = to_tensor(np.asarray(image.crop((100, 100, 228, 228))))
    blur = Burst(frames=16, blur_sigma=(0.3, 0.3))
    frames, (motion,) = blur.observe(hr, torch.Generator().manual_seed(0))
    burst, errors = Frames.of(frames[0]), []
    generator, _ = load_fuser("photo-burst", scale=4)
    for made in (
        fuse(burst, motion, method="map", sigma=0.3).picture,
        fuse_learned(burst, motion, generator, sigma=0.3),
    ):
        errors.append(
            float((made.nan_to_num().clamp(0, 1) - hr[0])[:, 16:-16, 16:-16].square().mean())
        )
    assert errors[1] < 0.97 * errors[0]  # 0.13 dB


def test_what_fuses_has_no_graph():
    upscaler = load_upscaler("photo-burst", pixels=9)
    assert upscaler.model == f"photo-burst sha256:{BOX['photo-burst'].sha256}"
    with pytest.raises(UserError, match=r"photo-burst: fuses bursts, .* by --backend onnx"):
        load_upscaler("photo-burst", backend="onnx")


def test_a_damaged_installation_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"photo-psnr\.safetensors: is missing; install"):
        locate("photo-psnr")
    (tmp_path / "photo-psnr.safetensors").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"is not the file that models\.json registers"):
        locate("photo-psnr")


def test_a_file_so_called_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert boxed("cosmic") is BOX["cosmic"]
    Path("cosmic").mkdir()
    assert boxed("cosmic") is None


def test_names_work_where_files_do(tmp_path, photograph, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sr.enlarge(photograph, "photo-gan").shape == (160, 192, 3)
    Image.fromarray(photograph).save("photo.png")
    Path("HR").mkdir()
    Image.fromarray(photograph).save("HR/photo.png")
    commands = {
        "info photo-gan": 0,
        "blend photo-psnr photo-gan --alpha 0.5 -o between.safetensors": 0,
        "export photo-psnr -o copy.safetensors --format safetensors": 0,
        "evaluate model=[bicubic,photo-psnr] data.hr=HR hydra.run.dir=figures": 0,
        "upscale photo.png -o big.png --model photo-psnr --backend torch": 0,
        "upscale photo.png -o other.png --model photo-nothing": 2,
        "models show photo-nothing": 2,
    }
    for command, status in commands.items():
        assert srgan(*command.split()) == status, command
    assert [*json.loads(Path("figures/figures.json").read_text())["methods"]] == [
        "bicubic",
        "photo-psnr",
    ]
    first, second = (read_generator(name).tensors for name in ("photo-psnr", "copy.safetensors"))
    assert all(torch.equal(first[key], second[key]) for key in first)
    sources = read_generator("between.safetensors").facts["blend"]["sources"]
    assert [source["sha256"] for source in sources] == [
        BOX[name].sha256 for name in ("photo-psnr", "photo-gan")
    ]
    Blend("photo-psnr", "cosmic")


def test_models_are_listed_and_shown(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert srgan("models") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in MODELS)
    assert srgan("models", "show", "cosmic") == 0
    shown = capsys.readouterr().out
    assert "must not serve as evidence" in shown
    assert BOX["cosmic"].sha256 in shown


def srgan(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["srgan", *arguments])
        try:
            cli.main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


@pytest.fixture
def folder(tmp_path, photograph) -> Path:
    for name in ("a.jpg", "b.png", "c.webp"):
        Image.fromarray(photograph).save(tmp_path / name)
    (tmp_path / "d.png").write_bytes((tmp_path / "a.jpg").read_bytes())  # a JPEG in truth
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(photograph[..., 0].astype(np.float32)).writeto(tmp_path / "e.fits")
    return tmp_path


def test_auto_chooses_by_what_a_file_is_and_says_so(folder, capsys):
    assert srgan("upscale", str(folder), "-o", str(folder / "out")) == 0
    told = capsys.readouterr()
    assert "auto: photo-real for 2 JPEG, photo-gan for 2 others, cosmic for 1 FITS\n" in told.err
    chosen = {"a": "photo-real", "c": "photo-gan", "d": "photo-real"}
    for name, model in chosen.items():
        with Image.open(folder / f"out/{name}.png") as big:
            assert big.text["Model"].startswith(f"{model} sha256:{BOX[model].sha256}, chosen by au")
    from astropy.io import fits

    assert "cosmic" in str(fits.getheader(folder / "out/e.fits")["HISTORY"])


def test_without_options_a_picture_is_written_beside_its_source(folder):
    command = "import sys; from srgan_lightning.cli import main\ntry: main()\n"
    command += "finally: print('torch' in sys.modules, file=sys.stderr)"
    asked = [sys.executable, "-c", command, "upscale", "a.jpg", "b.png"]
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:9", "HOME": str(folder / "home")}
    done = subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split()[-1] == "False"
    assert not (folder / "home").exists()
    for name in ("a_sr.png", "b_sr.png"):
        with Image.open(folder / name) as big:
            assert (big.size, big.text["Precision"]) == ((192, 160), "float32")


def test_folders_and_standard_input_need_an_output(folder, capsys):
    assert srgan("upscale", str(folder)) == 2
    assert "is a folder; name another for what is made of it (-o FOLDER)" in capsys.readouterr().err
    assert srgan("upscale", "-") == 2
    assert "what comes from standard input needs -o" in capsys.readouterr().err


def test_larger_pictures_go_to_torch():
    for options in ({"pixels": QUICK}, {"pixels": QUICK // 8, "ensemble": True}):
        assert load_upscaler("cosmic", **options).device == "CPUExecutionProvider"
    torch_does = {"pixels": QUICK + 1}, {"pixels": QUICK // 8 + 1, "ensemble": True}
    for options in (*torch_does, {"pixels": 9, "precision": "32-true"}, {}):
        assert load_upscaler("cosmic", device="cpu", **options).device == "cpu"


@pytest.mark.slow
def test_a_small_photograph_is_there_before_torch_would_have_begun(tmp_path, photograph):
    """In two thirds of the processor's time at most, from the start of Python to the file."""
    Image.fromarray(np.resize(photograph, (256, 256, 3))).save(tmp_path / "photo.jpg")
    code = (
        "import time; from srgan_lightning.cli import main\n"
        "try: main()\n"
        "finally: print(time.process_time())"
    )
    command = [sys.executable, "-c", code, "upscale", "photo.jpg", "--overwrite"]
    seconds: dict[str, list[float]] = {"auto": [], "torch": []}
    for _ in range(3):
        for backend, taken in seconds.items():
            done = subprocess.run(
                [*command, "--backend", backend],
                cwd=tmp_path,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            taken.append(float(done.stdout.split()[-1]))
    assert min(seconds["auto"]) < 2 / 3 * min(seconds["torch"])

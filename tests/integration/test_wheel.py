"""The wheel works where there is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "conf", "srgan_lightning")


def run(*command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of the sources without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, source)
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source]
    run(sys.executable, *build, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Path:
    """A new environment with the wheel in it, and the heavy dependencies of this one."""
    folder = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=wheel.parent)
    python = folder / "bin/python"
    install = ["-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    run(sys.executable, *install, cwd=wheel.parent)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_the_wheel_holds_conf_samples_and_credits(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "srgan_lightning").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    conf = {f"srgan_lightning/{path.relative_to(ROOT)}" for path in ROOT.glob("conf/**/*.yaml")}
    own = {name for name in names if not name.partition("/")[0].endswith(".dist-info")}
    assert own == package | conf | {"srgan_lightning/conf/__init__.py"}
    assert "srgan_lightning/samples/CREDITS.md" in names
    weights = [name for name in names if name.endswith((".safetensors", ".onnx"))]
    assert len(weights) == 9  # five of safetensors, and four graphs
    with zipfile.ZipFile(wheel) as archive:
        assert sum(archive.getinfo(name).compress_size for name in weights) < 12e6
    assert any(name.endswith("/LICENSE") for name in names)


def test_an_installed_wheel_trains_and_enlarges(environment: Path, small, tmp_path: Path):
    srgan = environment / "bin/srgan"
    python = environment / "bin/python"
    place = run(python, "-c", "import srgan_lightning as s; print(s.__file__)", cwd=tmp_path)
    assert place.startswith(str(environment))
    assert "upscale" in run(python, "-P", "-m", "srgan_lightning", "--help", cwd=tmp_path)

    steps = ["schedule.stages.pixel.steps=1", "schedule.stages.adversarial.steps=1"]
    run(srgan, "train", *small, *steps, "hydra.run.dir=run", cwd=tmp_path)
    model = tmp_path / "run/checkpoints/generator.safetensors"
    enlarge = (
        "import srgan_lightning, numpy;"
        "picture = numpy.zeros((8, 9, 3), numpy.uint8);"
        f"print(srgan_lightning.enlarge(picture, {str(model)!r}).shape)"
    )
    assert run(python, "-c", enlarge, cwd=tmp_path).strip() == "(32, 36, 3)"

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.commands.evaluate import evaluate, run
from srgan_lightning.config import compose
from srgan_lightning.errors import UserError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "hr"
    folder.mkdir()
    for seed, name in enumerate(("bird", "cat")):
        pixels = np.random.default_rng(seed).integers(0, 256, (36, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def test_figures_are_printed_and_saved(tmp_path, pictures, capsys):
    run({"model": "bicubic", "data": {"hr": str(pictures)}}, tmp_path / "out")
    printed = capsys.readouterr().out
    for words in ("bicubic", "bird", "mean", "PSNR", "Y channel, 4 pixels cropped"):
        assert words in printed
    assert str(tmp_path / "out/figures.csv") in printed.replace("\n", "")
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert files == ["figures.csv", "figures.json", "figures.md", "pictures"]


def test_the_packaged_config_is_the_schema_s(tmp_path, pictures):
    config = compose(
        [
            "model=bicubic",
            f"data.hr={pictures}",
            "degradation=bicubic",
            "protocol.space=rgb",
            "protocol.crop=6",
        ],
        application="evaluate",
    )
    run(config, tmp_path)
    protocol = json.loads((tmp_path / "figures.json").read_text())["protocol"]
    assert (protocol["space"], protocol["crop"]) == ("rgb", 6)
    assert protocol["degradation"].startswith("bicubic(")


def test_without_a_model_it_says_how_to_get_one(tmp_path):
    with pytest.raises(UserError, match="model: is not set; give model=FILE"):
        run(compose(application="evaluate"), tmp_path)


def test_plugins_bring_degradations_of_one_s_own(tmp_path, pictures, monkeypatch):
    (tmp_path / "evaluate_plugin.py").write_text(
        "import dataclasses\n"
        "from srgan_lightning.degradations import DEGRADATIONS, Degradation\n"
        "@DEGRADATIONS.register('decimate')\n"
        "@dataclasses.dataclass(frozen=True, kw_only=True)\n"
        "class Decimate(Degradation):\n"
        "    def reduce(self, hr, generator):\n"
        "        return hr[..., :: self.scale, :: self.scale]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    config = {
        "model": "bicubic",
        "data": {"hr": str(pictures)},
        "degradation": {"name": "decimate"},
        "plugins": ["evaluate_plugin"],
    }
    run(config, tmp_path / "out")
    assert "LR by decimate(scale=4)" in (tmp_path / "out/figures.md").read_text()


def test_the_command_runs_as_a_hydra_application(tmp_path, pictures):
    command = [sys.executable, "-m", "srgan_lightning", "evaluate"]
    options = ["model=bicubic", f"data.hr={pictures}", f"hydra.run.dir={tmp_path / 'run'}"]
    done = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "LR by blur_bicubic" in done.stdout
    assert (tmp_path / "run/figures.csv").is_file()


def test_metrics_are_judged(tmp_path, capsys):
    lines = []
    (tmp_path / "tid").mkdir()
    base = np.random.default_rng(0).integers(60, 190, (176, 176, 3))
    Image.fromarray(base.astype(np.uint8)).save(tmp_path / "tid/I01.BMP")
    for number, level in enumerate((2, 9, 25, 60), 1):
        noise = np.random.default_rng(number).normal(0, level, base.shape)
        noisy = np.clip(base + noise, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(tmp_path / f"tid/i01_01_{number}.bmp")
        lines.append(f"{6 - number} I01_01_{number}.bmp\n")
    (tmp_path / "tid/mos_with_names.txt").write_text("".join(lines))
    context = SimpleNamespace(args=["metrics", str(tmp_path / "tid"), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        evaluate(context)
    assert not ended.value.code
    printed = capsys.readouterr().out
    for words in ("SRCC", "PLCC", "MS-SSIM", "1.0000", "four-parameter logistic"):
        assert words in printed
    document = json.loads((tmp_path / "out/metrics.json").read_text())
    assert [m["metric"] for m in document["metrics"]][:3] == ["psnr", "ssim", "ms_ssim"]
    assert document["metrics"][0]["srcc"] == 1
    assert (tmp_path / "out/metrics.md").read_text().startswith("| metric | SRCC | PLCC |")
    assert (tmp_path / "out/metrics.csv").read_text().startswith("metric,srcc,plcc,pictures")


def test_both_helps_teach(capsys):
    with pytest.raises(SystemExit) as ended:
        evaluate(SimpleNamespace(args=["metrics", "--help"]))
    assert not ended.value.code
    told = capsys.readouterr().out
    for words in ("srgan evaluate metrics", "TID2013", "PIPAL", "--output"):
        assert words in told

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from srgan_lightning.config import check, compose
from srgan_lightning.errors import UserError
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import load_generator
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.fitting import find_fitted
from srgan_lightning.training.run import run

FIT = [
    "experiment=sparse_coding",
    "generator.atoms=48",
    "generator.samples=1500",
    "data.crop_size=48",
    "data.validation_crop=96",
    "data.batch_size=8",
    "logger=csv",
]


def fit(folder: Path, *overrides: str) -> tuple[str, object]:
    out = io.StringIO()
    result = run(compose([*FIT, *overrides]), folder=folder, console=Console(file=out, width=120))
    return out.getvalue(), result


def test_a_fit_is_a_run_like_any_other(tmp_path):
    text, result = fit(tmp_path / "run")
    table = json.loads((tmp_path / "run/figures.json").read_text())
    assert {"bicubic", "fitted"} <= set(json.dumps(table).split('"'))
    for name in ("config.yaml", "figures.csv", "figures.md", "comparison.png", "metrics.csv"):
        assert (tmp_path / "run" / name).is_file()
    assert "sparse_coding, fitted, not trained" in text
    assert "srgan upscale PICTURE" in text
    assert "last.ckpt" not in text
    assert result.objective == result.figures["val/psnr"] > 20

    path = tmp_path / "run/checkpoints/generator.safetensors"
    generator, facts = load_generator(path)
    assert facts["degradation"].startswith("bicubic(")
    assert facts["stage"] == "fit"
    assert generator.D_lr.shape[0] == 48
    assert TorchUpscaler.load(path, precision="32-true")(torch.rand(1, 3, 5, 6)).shape == (
        1,
        3,
        20,
        24,
    )

    fit(tmp_path / "again")
    assert (tmp_path / "again/checkpoints/generator.safetensors").read_bytes() == path.read_bytes()


def test_a_run_that_trains_is_left_alone():
    assert find_fitted(check(TrainConfig, compose([]))) is None


@pytest.mark.parametrize("name", ["nearest", "bicubic", "lanczos", "total_variation"])
def test_what_has_nothing_to_train_says_how_to_use_it(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name}: has nothing to train; .*evaluate model={name}"):
        run(compose([f"generator={name}"]), folder=tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["state.json"]


def test_a_fit_starts_from_nothing(tmp_path):
    with pytest.raises(UserError, match=r"init_from=a\.ckpt: sparse_coding is fitted afresh"):
        fit(tmp_path, "init_from=a.ckpt")


def test_the_recipe_has_the_paper_s_size():
    config = check(TrainConfig, compose(["experiment=sparse_coding"]))
    assert config.generator.arguments["atoms"] == 1024
    assert config.generator.arguments["samples"] == 100_000
    assert config.degradation.name == "bicubic"

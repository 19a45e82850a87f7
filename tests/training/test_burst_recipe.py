"""experiment=burst_sr: a run in small, and its file in `srgan evaluate`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.config import check, compose
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.request import answer
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.training.build import build_datamodule
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.run import run

SMALL = ["generator.features=4", "generator.blocks=1", "generator.width=16"]
TRIAL = ["trainer=cpu", "trainer.precision=32-true", "logger=csv", "data.workers=0"]


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    folder.mkdir()
    for number in range(3):
        squares = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(squares).resize((96, 96), Image.Resampling.NEAREST).save(
            folder / f"{number}.png"
        )
    return folder


def test_the_loss_falls_and_the_file_is_measured_beside_other_methods(scenes, tmp_path):
    config = compose(
        [
            "experiment=burst_sr",
            "data=folder",
            f"data.root={scenes}",
            "data.batch_size=2",
            "data.crop_size=48",
            "degradation.frames=4",
            "schedule.stages.pixel.steps=60",
            "schedule.stages.pixel.warmup=1",
            "trainer.val_every_n_steps=60",
            "trainer.log_every_n_steps=1",
            "trainer.overfit=true",
            "callbacks.pictures_every_n_steps=60",
            *SMALL,
            *TRIAL,
        ]
    )
    result = run(config, folder=tmp_path / "run")
    header, *lines = (tmp_path / "run/metrics.csv").read_text().splitlines()
    place = header.split(",").index("loss/generator")
    losses = [float(line.split(",")[place]) for line in lines if line.split(",")[place]]
    assert np.mean(losses[-20:]) < 0.95 * np.mean(losses[:20])
    assert result.figures["val/psnr"] > 15
    assert (tmp_path / "run/comparison.png").is_file()
    assert [*(tmp_path / "run/pictures").iterdir()]

    file = tmp_path / "run/checkpoints/generator.safetensors"
    for model in (file, file.with_name("last.ckpt")):
        asked = {"model": ["bicubic", str(model)], "data": {"hr": str(scenes)}, "frames": [1, 4]}
        burst = {"name": "burst", "frames": 4, "shift": 1.0}
        table = answer(check(EvaluateConfig, {**asked, "degradation": burst}))
        one, four = (table.mean(f"run/{model.name} of {n}")["psnr"] for n in (1, 4))
        assert four > one
    single = TorchUpscaler.load(file)
    assert single.enlarge(np.zeros((5, 6, 3), np.uint8)).shape == (20, 24, 3)


def test_a_run_without_bursts_is_told():
    config = compose(["experiment=burst_sr", "data=samples", "degradation=bicubic"])
    with pytest.raises(UserError, match="generator=burst_sr: learns from bursts; take degr"):
        build_datamodule(check(TrainConfig, config))

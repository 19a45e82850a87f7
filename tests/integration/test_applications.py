"""What Hydra brings to `srgan train` and `srgan evaluate`, and what the other commands need."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from srgan_lightning.config import check, compose
from srgan_lightning.networks import load_generator
from srgan_lightning.samples import sample_folder
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.resume import read_checkpoint
from srgan_lightning.training.run import run

CONF = Path(__file__).parents[2] / "conf"
HEAVY = ("torch", "numpy", "hydra", "omegaconf", "PIL", "pytorch_lightning", "wandb", "kornia")


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from srgan_lightning.cli import main; sys.argv = ['srgan', '--help']\n"
        "try: main()\n"
        f"finally: print('loaded:', *set(sys.modules).intersection({HEAVY}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    for name in ("train", "evaluate", "upscale", "prepare", "info"):
        assert name in done.stdout
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_cfg_prints_the_config_and_does_nothing(name, command, tmp_path):
    outcome = command(name, "--cfg", "job", "seed=7")
    config = yaml.safe_load(outcome.out)
    assert (outcome.status, config["seed"], config["scale"]) == (0, 7, 4)
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_help_lists_groups_and_examples(name, command):
    outcome = command(name, "--help")
    assert outcome.status == 0
    assert "degradation: bicubic, blur_bicubic, burst, classical" in outcome.out
    assert f"srgan {name}" in outcome.out


PLUGIN = """
from dataclasses import dataclass
from srgan_lightning.degradations import DEGRADATIONS, Degradation
from srgan_lightning.losses.pixel import PIXEL_LOSSES
from srgan_lightning.networks import GENERATORS, Generator
import torch
from torch import nn

@GENERATORS.register("enlarger")
class Enlarger(Generator):
    def __init__(self, *, scale: int = 4, width: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.net = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3 * scale**2, 1),
            nn.PixelShuffle(scale),
        )
    @property
    def halo(self):
        return 1
    def forward(self, lr):
        return self.net(lr)

@PIXEL_LOSSES.register("fourth_power")
class FourthPower(nn.Module):
    def forward(self, sr, hr):
        return ((sr - hr) ** 4).mean()

@DEGRADATIONS.register("every_nth")
@dataclass(frozen=True, kw_only=True)
class EveryNth(Degradation):
    first: int = 0

    def reduce(self, hr, generator):
        return hr[..., self.first :: self.scale, self.first :: self.scale]
"""


def test_plugins_and_configs_of_one_s_own(command, small, tmp_path):
    (tmp_path / "my_plugin.py").write_text(PLUGIN)
    (tmp_path / "my_conf/generator").mkdir(parents=True)
    (tmp_path / "my_conf/generator/mine.yaml").write_text("name: enlarger\nwidth: 6\n")
    (tmp_path / "my_conf/degradation").mkdir()
    (tmp_path / "my_conf/degradation/mine.yaml").write_text("name: every_nth\nfirst: 1\n")
    kept = [o for o in small if not o.startswith("generator.")]
    steps = ["schedule.stages.pixel.steps=1", "schedule.stages.adversarial.steps=1"]
    choices = ["generator=mine", "degradation=mine", "loss.pixel.name=fourth_power"]
    outcome = command(
        *["train", *kept, *steps, *choices, "plugins=[my_plugin]"],
        *["--config-dir", "my_conf", "hydra.run.dir=run"],
    )
    assert outcome.status == 0, outcome.err
    assert "every_nth(scale=4, first=1)" in outcome.out
    generator, facts = load_generator(tmp_path / "run/checkpoints/generator.safetensors")
    assert generator.net[0].out_channels == 6
    assert facts["degradation"] == "every_nth(scale=4, first=1)"

    resumed = command("train", "--resume", "run", "schedule.stages.adversarial.steps=3")
    assert resumed.status == 0, resumed.err
    assert read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["step"] == 4

    (tmp_path / "my_conf/generator/mine.yaml").write_text("name: enlargr\n")
    mistaken = command(
        *["train", *kept, "generator=mine", "plugins=[my_plugin]", "--config-dir", "my_conf"]
    )
    assert mistaken.status == 2
    assert "unknown generator 'enlargr': did you mean enlarger?" in mistaken.err


def test_a_sweep_makes_a_run_folder_and_a_wandb_run_a_value(command, small, tmp_path):
    steps = ["schedule.stages.pixel.steps=2", "schedule.stages.adversarial.steps=1"]
    outcome = command(
        *["train", *small, *steps, "logger=wandb", "seed=0,1"],
        *["-m", "hydra.sweep.dir=sweep"],
    )
    assert outcome.status == 0, outcome.err
    runs = [tmp_path / "sweep" / number for number in "01"]
    seeds = [read_checkpoint(run / "checkpoints/last.ckpt")["config"]["seed"] for run in runs]
    assert seeds == [0, 1]
    ids = {(run / "wandb_id").read_text() for run in runs}
    files = {p.stem.removeprefix("run-") for run in runs for p in run.rglob("run-*.wandb")}
    assert ids == files
    assert len(ids) == 2
    first, second = (load_generator(run / "checkpoints/generator.safetensors")[0] for run in runs)
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


def test_another_command_uses_what_training_left(command, small, tmp_path):
    (tmp_path / "photos").mkdir()
    with Image.open(sample_folder("heldout") / "two-dogs.jpg") as photo:
        photo.crop((0, 0, 64, 48)).save(tmp_path / "photos/dogs.png")
    assert command("train", *small, "hydra.run.dir=run").status == 0
    model = "run/checkpoints/generator.safetensors"
    evaluated = command(
        *["evaluate", f"model=[bicubic,{model}]", "data.hr=photos", "hydra.run.dir=figures"]
    )
    assert evaluated.status == 0, evaluated.err
    assert (tmp_path / "figures/figures.csv").is_file()
    enlarged = command("upscale", "photos", "-o", "big", "--model", model)
    assert enlarged.status == 0, enlarged.err
    with Image.open(tmp_path / "big/dogs.png") as big:
        assert big.size == (256, 192)


@pytest.mark.parametrize("debug", options("debug"))
def test_every_debug_option_runs(debug, small, tmp_path, capsys):
    kept = [o for o in small if not o.startswith(("schedule.", "trainer.val", "trainer.log"))]
    values = compose([*kept, f"debug={debug}", "trainer.max_steps=4"])
    run(values, folder=tmp_path)
    step = read_checkpoint(tmp_path / "checkpoints/last.ckpt")["step"]
    assert step == (2 if debug == "one_batch" else 4)


@pytest.mark.parametrize("trainer", options("trainer"))
@pytest.mark.parametrize("optim", options("optim"))
@pytest.mark.parametrize("logger", options("logger"))
def test_every_option_composes(trainer, optim, logger, monkeypatch):
    for name in ("SLURM_NTASKS_PER_NODE", "SLURM_JOB_NUM_NODES", "SLURM_JOB_ID"):
        monkeypatch.setenv(name, "2")
    check(TrainConfig, compose([f"trainer={trainer}", f"optim={optim}", f"logger={logger}"]))

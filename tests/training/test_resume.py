"""Stopped anywhere and resumed equals never stopped, bit for bit."""

import json
from pathlib import Path

import pytest
import torch
from equality import assert_equal, figures

from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.training.resume import expand_resume, read_checkpoint
from srgan_lightning.training.run import run


class Stop(Exception):
    pass


@GENERATORS.register("stops")
class Stops(SRResNet):
    """An SRResNet whose training can be stopped at its nth forward pass."""

    passes, stop_at = 0, 0

    def forward(self, lr):
        if self.training and torch.is_grad_enabled():
            Stops.passes += 1
            if Stops.passes == Stops.stop_at:
                raise Stop
        return super().forward(lr)


@pytest.fixture
def values(compose):
    config = compose("optim.ema_decay=0.9", "schedule.stages.adversarial.d_steps=2")
    config["generator"]["name"] = "stops"
    return config


def train(values, folder: Path, *, stop_at: int = 0):
    Stops.passes, Stops.stop_at = 0, stop_at
    return run(values, folder=folder)


@pytest.mark.parametrize("stop_at", [2, 4, 5, 6, 8, 9])
def test_resumed_equals_never_stopped(values, tmp_path: Path, stop_at: int):
    train(values, tmp_path / "whole")
    with pytest.raises(Stop):
        train(values, tmp_path / "stopped", stop_at=stop_at + 1)
    assert read_checkpoint(tmp_path / "stopped/checkpoints/last.ckpt")["step"] == stop_at
    train(values, tmp_path / "stopped")

    whole, stopped = (
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True)
        for name in ("whole", "stopped")
    )
    for part in ("state_dict", "optimizer_states", "srgan_lightning"):
        assert_equal(whole[part], stopped[part])
    assert any(key.startswith("ema.") for key in whole["state_dict"])
    assert len(whole["optimizer_states"]) == 2
    for name in ("generator", "generator-pixel", "generator-adversarial", "generator-best"):
        file = f"checkpoints/{name}.safetensors"
        assert (tmp_path / "whole" / file).read_bytes() == (
            tmp_path / "stopped" / file
        ).read_bytes()
    assert figures(tmp_path / "whole") == figures(tmp_path / "stopped")


def test_a_finished_run_is_not_trained_again(values, tmp_path: Path):
    first = train(values, tmp_path)
    assert Stops.passes == 10
    again = train(values, tmp_path)
    assert Stops.passes == 0
    assert first.folder == again.folder


def test_other_networks_are_refused(values, tmp_path: Path):
    train(values, tmp_path)
    values["generator"]["width"] = 12
    with pytest.raises(UserError, match=r"^generator: the run to be resumed has .*init_from"):
        train(values, tmp_path)


def test_a_run_that_ended_early_goes_on_into_the_second_stage(values, tmp_path: Path):
    train(values, tmp_path / "whole")
    values["trainer"]["max_steps"] = 3
    train(values, tmp_path / "longer")
    values["trainer"]["max_steps"] = None
    train(values, tmp_path / "longer")
    whole, longer = (
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True)
        for name in ("whole", "longer")
    )
    assert_equal(whole["state_dict"], longer["state_dict"])


def test_a_run_with_a_discriminator_does_not_go_on_without_it(values, tmp_path: Path):
    train(values, tmp_path)
    del values["schedule"]["stages"]["adversarial"]
    with pytest.raises(UserError, match=r"has an adversarial stage.*init_from=CHECKPOINT"):
        train(values, tmp_path)


def test_the_resolved_precision_is_used_again(values, tmp_path: Path):
    values["trainer"]["precision"] = "bf16-mixed"
    with pytest.raises(Stop):
        train(values, tmp_path, stop_at=4)
    values["trainer"]["precision"] = "auto"
    train(values, tmp_path)
    saved = read_checkpoint(tmp_path / "checkpoints/last.ckpt")
    assert saved["facts"]["precision"] == "bf16-mixed"


def test_resume_repeats_the_runs_own_overrides(tmp_path: Path):
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra/overrides.yaml").write_text("- generator.blocks=3\n- seed=7\n")
    sources = [{"provider": "hydra", "path": "a"}, {"provider": "command-line", "path": "/mine"}]
    hydra = {"hydra": {"runtime": {"config_sources": sources}}}
    (tmp_path / ".hydra/hydra.yaml").write_text(json.dumps(hydra))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/last.ckpt").touch()
    expanded = expand_resume(["--resume", str(tmp_path), "seed=8"])
    assert expanded == [
        "--config-dir",
        "/mine",
        "generator.blocks=3",
        "seed=7",
        f'hydra.run.dir="{tmp_path}"',
        "seed=8",
    ]
    assert expand_resume(["seed=1"]) == ["seed=1"]


def test_what_cannot_be_resumed_is_told_in_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="is not a run folder"):
        expand_resume(["--resume", str(tmp_path)])
    with pytest.raises(UserError, match="name a run folder"):
        expand_resume(["--resume"])
    file = tmp_path / "last.ckpt"
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match=r"last\.ckpt"):
        read_checkpoint(file)
    torch.save({"state_dict": {}}, file)
    with pytest.raises(UserError, match="not written by srgan_lightning"):
        read_checkpoint(file)
    torch.save({"srgan_lightning": {"format_version": 99}}, file)
    with pytest.raises(UserError, match="format version 99"):
        read_checkpoint(file)

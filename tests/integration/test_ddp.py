"""Two processes on the CPU: one training, two ranks that agree in weights and differ in draws."""

import csv
import json
import os
from pathlib import Path

import pytest
import torch

from srgan_lightning.samples import sample_folder

WATCH = '''
"""Writes down what each rank sees and holds."""
import hashlib, json, os, sys
from dataclasses import dataclass
import torch
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.degradations.blur_bicubic import BlurBicubic
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet


def note(kind, tensors):
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    with open(f"{kind}-{os.environ.get('LOCAL_RANK', 0)}.txt", "a") as file:
        file.write(digest.hexdigest() + chr(10))


def watch_files(event, arguments):
    if event == "os.rename" or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        if "/run/" in os.path.abspath(str(arguments[0])):
            with open(f"written-{os.environ.get('LOCAL_RANK', 0)}.txt", "a") as file:
                file.write(str(arguments[0]) + chr(10))


sys.addaudithook(watch_files)


@GENERATORS.register("watched")
class Watched(SRResNet):
    def forward(self, lr):
        if self.training and torch.is_grad_enabled():
            note("weights", self.parameters())
            note("lr", [lr])
        return super().forward(lr)
'''


@pytest.fixture
def arguments(small, tmp_path) -> list[str]:
    (tmp_path / "watch.py").write_text(WATCH)
    return [
        *["train", *small, "trainer=ddp_cpu", "generator.name=watched", "plugins=[watch]"],
        *["degradation.sigma=[0.8,2.4]", "schedule.stages.adversarial.d_steps=2"],
    ]


def notes(folder: Path, kind: str) -> list[list[str]]:
    return [(folder / f"{kind}-{rank}.txt").read_text().split() for rank in (0, 1)]


def test_both_stages_and_a_resume(arguments, srgan, tmp_path):
    stopped = srgan(*arguments, "trainer.max_steps=7", "hydra.run.dir=run")
    assert stopped.status == 0, stopped.err
    resumed = srgan("train", "--resume", "run", "trainer.max_steps=null")
    assert resumed.status == 0, resumed.err
    assert "resuming at generator step 7" in resumed.out

    weights, lr = notes(tmp_path, "weights"), notes(tmp_path, "lr")
    assert weights[0] == weights[1]
    assert len(set(weights[0])) == len(weights[0]) == 10
    assert not set(lr[0]) & set(lr[1])
    assert len(set(lr[0])) == 10

    assert "metrics.csv" in (tmp_path / "written-0.txt").read_text()
    assert not (tmp_path / "written-1.txt").exists()

    run = tmp_path / "run"
    with (run / "metrics.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [*range(1, 11)]
    methods = json.loads((run / "figures.json").read_text())["methods"]
    assert list(methods) == ["bicubic", "after pixel", "after adversarial"]
    heldout = {path.name for path in sample_folder("heldout").glob("*.jpg")}
    assert all(set(method["pictures"]) == heldout for method in methods.values())
    assert resumed.out.count("Held-out pictures") == 1
    assert (run / ".hydra/config.yaml").is_file()
    assert not [path for path in run.rglob("*") if "part" in path.name]


@pytest.mark.slow
def test_a_resumed_run_equals_one_never_stopped(arguments, srgan, tmp_path):
    for extra in (["hydra.run.dir=whole"], ["trainer.max_steps=7", "hydra.run.dir=stopped"]):
        assert srgan(*arguments, *extra).status == 0
    assert srgan("train", "--resume", "stopped", "trainer.max_steps=null").status == 0
    whole, stopped = (
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "stopped")
    )
    assert whole.keys() == stopped.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, stopped[name]), name


@pytest.mark.slow
def test_tasks_that_slurm_starts_on_two_nodes(small, process, tmp_path, monkeypatch):
    job = {"JOB_ID": str(os.getpid()), "JOB_NAME": "train", "NODELIST": "127.0.0.1"}
    sizes = {"NTASKS": "2", "NTASKS_PER_NODE": "1", "JOB_NUM_NODES": "2", "NNODES": "2"}
    started = []
    for node in ("0", "1"):
        place = {"PROCID": node, "NODEID": node, "LOCALID": "0"}
        for name, value in {**job, **sizes, **place}.items():
            monkeypatch.setenv(f"SLURM_{name}", value)
        kept = [option for option in small if option != "trainer=cpu"]
        started.append(process("train", *kept, "trainer=slurm", "trainer.accelerator=cpu"))
    try:
        told = [each.communicate(timeout=240) for each in started]
    finally:
        for each in started:
            each.kill()
    assert [each.returncode for each in started] == [0, 0], told
    (run,) = (tmp_path / "outputs/quickstart").iterdir()
    assert run.name == f"slurm-{os.getpid()}"
    with (run / "metrics.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [*range(1, 11)]
    assert "Held-out pictures" in told[0][0]
    assert told[1][0] == ""


@pytest.mark.slow
def test_several_devices_are_enough_to_ask_for(small, srgan, tmp_path):
    kept = [option for option in small if option != "trainer=cpu"]
    outcome = srgan("train", *kept, "trainer=cpu", "trainer.devices=2", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "run/checkpoints/generator.safetensors").is_file()

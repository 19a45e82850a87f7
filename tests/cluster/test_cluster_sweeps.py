"""Sweeps on a real Slurm: whatever ends a job, what comes back is what would have been."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from equality import assert_equal, figures
from slurm_cluster import Cluster, wait_until

from srgan_lightning.tracking.state import is_alive, read_state, read_sweep

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]
PIXEL, ADVERSARIAL = 6, 40
SLOW = '''
"""A generator that takes its time while a file `slow` lies in the working directory."""
import time
from pathlib import Path
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet


@GENERATORS.register("slow")
class Slow(SRResNet):
    def forward(self, lr):
        if self.training and Path("slow").exists():
            time.sleep(0.5)
        return super().forward(lr)
'''
LAUNCHER = [
    "hydra/launcher=submitit_slurm",
    "hydra.launcher.gpus_per_node=null",
    "hydra.launcher.timeout_min=60",
]


@pytest.fixture
def arguments(small: list[str], tmp_path: Path) -> list[str]:
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "slow").touch()
    return [
        *["train", *small, "generator.name=slow", "plugins=[slow]", "optim.ema_decay=0.9"],
        *["trainer.val_every_n_steps=10", "callbacks.checkpoint.every_n_steps=7"],
        f"schedule.stages.pixel.steps={PIXEL}",
        f"schedule.stages.adversarial.steps={ADVERSARIAL}",
        "schedule.stages.adversarial.d_steps=2",
    ]


@pytest.fixture
def undisturbed(arguments: list[str], tmp_path: Path) -> Callable[[Path], None]:
    """Prove that a run is equal, bit for bit, to one that nothing disturbed."""

    def prove(folder: Path, *further: str) -> None:
        (tmp_path / "slow").unlink(missing_ok=True)
        command = [sys.executable, "-m", "srgan_lightning", *arguments, *further]
        subprocess.run(
            [*command, "hydra.run.dir=whole"],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        )
        a, b = (
            torch.load(place / "checkpoints/last.ckpt", weights_only=True)
            for place in (tmp_path / "whole", folder)
        )
        assert len(a["optimizer_states"]) == 2
        for part in ("state_dict", "optimizer_states"):
            assert_equal(a[part], b[part], part)
        for name in ("step", "nonfinite", "validation"):
            assert_equal(a["srgan_lightning"][name], b["srgan_lightning"][name], name)
        assert figures(tmp_path / "whole") == figures(folder)

    return prove


def step_of(folder: Path) -> int:
    file = folder / "metrics.csv"
    if not file.is_file():
        return 0
    with file.open(newline="") as rows:
        return max((int(row["step"]) for row in csv.DictReader(rows)), default=0)


def state_of(folder: Path) -> str:
    state = read_state(folder)
    return state.state if state is not None else ""


def output_of(folder: Path, number: int) -> str:
    """What Slurm's job wrote, all of its starts after another."""
    job = (folder / str(number) / "slurm_job").read_text()
    return (folder / f".submitit/{job}/{job}_0_log.out").read_text()


def test_a_job_of_a_grid_is_killed_and_resumed(
    arguments, undisturbed, start, cluster: Cluster, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    sweep = tmp_path / "sweep"
    swept = ["seed=0,1", "loss.adversarial.weight=1e-4,1e-3,1e-2"]
    with start(*arguments, "-m", *swept, *LAUNCHER, "hydra.sweep.dir=sweep") as run:
        wait_until(lambda: step_of(sweep / "1") > PIXEL + 10, 240)
        told = read_sweep(sweep)
        victim = read_state(sweep / "1")
        assert is_alive(victim)
        os.kill(victim.pid, signal.SIGKILL)
        (tmp_path / "slow").unlink()
        _, err = run.communicate(timeout=600)
    assert [job.overrides for job in told.jobs][:2] == [
        ("seed=0", "loss.adversarial.weight=0.0001"),
        ("seed=0", "loss.adversarial.weight=0.001"),
    ]
    assert len(told.jobs) == 6
    assert run.returncode == 1
    lines = [line for line in err.splitlines() if line.startswith("srgan: ")]
    assert lines == [
        "srgan: job 1 (seed=0,weight=0.001) failed: it was killed",
        "srgan: 1 of 6 jobs failed; go on with: srgan sweep resume sweep",
    ]
    assert [state_of(sweep / str(n)) for n in range(6)] == [
        "finished" if n != 1 else "running" for n in range(6)
    ]
    assert not is_alive(read_state(sweep / "1"))
    before = {n: (sweep / f"{n}/state.json").read_text() for n in range(6)}
    saved = torch.load(sweep / "1/checkpoints/last.ckpt", weights_only=True)

    with start("sweep", "resume", "sweep") as run:
        _, err = run.communicate(timeout=600)
    assert run.returncode == 0, err
    after = {n: (sweep / f"{n}/state.json").read_text() for n in range(6)}
    assert {n for n in range(6) if before[n] != after[n]} == {1}
    assert state_of(sweep / "1") == "finished"
    resumed = saved["srgan_lightning"]["step"]
    assert f"resuming at generator step {resumed}" in output_of(sweep, 1)
    undisturbed(sweep / "1", "loss.adversarial.weight=1e-3")


def test_a_job_is_requeued_in_mid_stage_two(
    arguments, undisturbed, start, cluster: Cluster, tmp_path: Path
):
    sweep = tmp_path / "sweep"
    arguments[arguments.index("logger=csv")] = "logger=wandb"
    arguments.append("data.workers=1")
    with start(*arguments, "-m", "seed=1,0", *LAUNCHER, "hydra.sweep.dir=sweep") as run:
        wait_until(lambda: step_of(sweep / "1") > PIXEL + 5, 240)
        cluster.ask("scontrol", "requeue", read_state(sweep / "1").slurm_job)
        wait_until(lambda: state_of(sweep / "1") == "preempted", 60)
        preempted = read_state(sweep / "1")
        assert preempted.reason == f"SIGTERM at step {preempted.step}"
        (tmp_path / "slow").unlink()
        cluster.start_now(preempted.slurm_job)
        _, err = run.communicate(timeout=600)
    assert run.returncode == 0, err
    assert PIXEL + 5 < preempted.step < PIXEL + ADVERSARIAL
    assert f"resuming at generator step {preempted.step}\n" in output_of(sweep, 1)
    finished = read_state(sweep / "1")
    assert (finished.state, finished.slurm_job) == ("finished", preempted.slurm_job)
    identifier = (sweep / "1/wandb_id").read_text()
    runs = {path.stem for path in (sweep / "1").rglob("run-*.wandb")}
    assert runs == {f"run-{identifier}"}
    undisturbed(sweep / "1")


def test_a_job_reaches_its_time_limit(
    arguments, undisturbed, start, cluster: Cluster, tmp_path: Path
):
    sweep = tmp_path / "sweep"
    limit = ["hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=10"]
    longer = "schedule.stages.adversarial.steps=200"
    arguments = [a for a in arguments if not a.startswith("schedule.stages.adversarial.steps")]
    arguments.append(longer)
    with start(*arguments, "-m", "seed=1,0", *LAUNCHER[:2], *limit, "hydra.sweep.dir=sweep") as run:
        reached = []

        def preempted() -> bool:
            states = [read_state(sweep / str(n)) for n in (0, 1)]
            reached.extend(s for s in states if s is not None and s.state == "preempted")
            return any(s.slurm_job.endswith("_1") for s in reached)

        wait_until(preempted, 300)
        (tmp_path / "slow").unlink()
        for job in {state.slurm_job for state in reached}:
            cluster.start_now(job)
        _, err = run.communicate(timeout=900)
    assert run.returncode == 0, err
    step = next(s.step for s in reached if s.slurm_job.endswith("_1"))
    assert PIXEL < step < PIXEL + 200
    assert f"SIGUSR2 at step {step}" in {s.reason for s in reached}
    assert f"resuming at generator step {step}\n" in output_of(sweep, 1)
    assert [state_of(sweep / str(n)) for n in (0, 1)] == ["finished", "finished"]
    undisturbed(sweep / "1", longer)


def test_a_job_of_two_tasks_is_requeued(
    arguments, undisturbed, start, cluster: Cluster, tmp_path: Path
):
    folder = tmp_path / "sweep/0"
    two = ["trainer=ddp_cpu", "hydra.launcher.tasks_per_node=2"]
    with start(*arguments, *two, "-m", "seed=3", *LAUNCHER, "hydra.sweep.dir=sweep") as run:
        wait_until(lambda: step_of(folder) > PIXEL + 5, 240)
        cluster.ask("scontrol", "requeue", read_state(folder).slurm_job)
        wait_until(lambda: state_of(folder) == "preempted", 60)
        preempted = read_state(folder)
        (tmp_path / "slow").unlink()
        cluster.start_now(preempted.slurm_job)
        _, err = run.communicate(timeout=600)
    assert run.returncode == 0, err
    assert f"resuming at generator step {preempted.step}\n" in output_of(tmp_path / "sweep", 0)
    state = read_state(folder)
    assert (state.state, state.step) == ("finished", PIXEL + ADVERSARIAL)
    with (folder / "metrics.csv").open(newline="") as rows:
        steps = [int(row["step"]) for row in csv.DictReader(rows)]
    assert steps == [*range(1, PIXEL + ADVERSARIAL + 1)]
    logs = [path.name for path in (tmp_path / "sweep/.submitit").rglob("*_log.out")]
    assert sorted(re.sub(r"^\d+_", "", name) for name in logs) == ["0_log.out", "1_log.out"]
    undisturbed(folder, "trainer=ddp_cpu", "seed=3")


def test_optuna_searches_through_slurm(arguments, start, tmp_path: Path):
    (tmp_path / "slow").unlink()
    search = [
        *["hydra/sweeper=optuna", "hydra.sweeper.trials=4", "hydra.sweeper.batch=2"],
        "hydra.sweeper.pruner=none",
        "schedule.stages.pixel.lr=tag(log,interval(1e-5,1e-1))",
        "loss.adversarial.name=choice(bce,hinge)",
    ]
    with start(*arguments, "-m", *search, *LAUNCHER, "hydra.sweep.dir=sweep") as run:
        out, err = run.communicate(timeout=900)
    assert run.returncode == 0, err
    sweep = tmp_path / "sweep"
    states = [read_state(sweep / str(n)) for n in range(4)]
    assert [state.state for state in states] == ["finished"] * 4
    values = [state.figures["val/psnr"] for state in states]
    best = max(range(4), key=values.__getitem__)
    assert f"best: job {best} (" in out
    log = [json.loads(line) for line in (sweep / "optuna.journal").read_text().splitlines()]
    told = [entry["values"][0] for entry in log if entry.get("values")]
    assert sorted(told) == sorted(values)
    assert len({state.slurm_job.partition("_")[0] for state in states}) == 2

"""Sweeps on this machine: a run folder and a wandb run a job, and no job takes others along."""

import json
import math
import signal
import sys
import time
from pathlib import Path

import pytest

from srgan_lightning.errors import UserError
from srgan_lightning.sweeps.queue import place_environments
from srgan_lightning.tracking.state import read_state, read_sweep

MOODY = '''
"""A generator that fails while a file of its name lies in the working directory."""
import os
from pathlib import Path
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet


@GENERATORS.register("moody")
class Moody(SRResNet):
    def __init__(self, *, scale: int, blocks: int, width: int, norm: str, activation: str,
                 image_skip: str, upsampler: str, outer_kernel: int, mood: str) -> None:
        super().__init__(scale=scale, blocks=blocks, width=width)
        self.mood, self.passes = mood, 0

    def forward(self, lr):
        self.passes += self.training
        place = " ".join(os.environ.get(n, "") for n in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"))
        Path(f"{self.mood}.place").write_text(place)
        if self.passes == 4 and Path(self.mood).exists():
            raise ZeroDivisionError("in a bad mood")
        return super().forward(lr) * (float("nan") if self.mood == "void" else 1)
'''


@pytest.fixture
def moody(small: list[str], tmp_path: Path) -> list[str]:
    (tmp_path / "moods.py").write_text(MOODY)
    kept = [a for a in small if not a.startswith("schedule.stages")]
    steps = ["schedule=pixel", "schedule.stages.pixel.steps=6"]
    return [*kept, *steps, "plugins=[moods]", "generator.name=moody", "generator.blocks=1"]


def states(sweep: Path) -> list[str]:
    found = [read_state(sweep / job.folder) for job in read_sweep(sweep).jobs]
    return [state.state if state is not None else "waiting" for state in found]


def test_a_failed_job_takes_no_other_along_and_is_resumed(command, moody, tmp_path: Path):
    (tmp_path / "bad").touch()
    outcome = command("train", *moody, "-m", "+generator.mood=good,bad,calm", "hydra.sweep.dir=s")
    assert outcome.status == 1
    assert [line for line in outcome.err.splitlines() if line.startswith("srgan: ")] == [
        "srgan: job 1 (mood=bad) failed: ZeroDivisionError: in a bad mood",
        "srgan: 1 of 3 jobs failed; go on with: srgan sweep resume s",
    ]
    assert "Traceback" not in outcome.err
    assert "Traceback" in (tmp_path / "s/1/run.log").read_text()
    assert states(tmp_path / "s") == ["finished", "failed", "finished"]
    failed = read_state(tmp_path / "s/1")
    assert (failed.step, failed.steps) == (3, 6)

    (tmp_path / "bad").unlink()
    before = [(tmp_path / f"s/{n}/state.json").read_text() for n in (0, 2)]
    outcome = command("sweep", "resume", "s")
    assert outcome.status == 0, outcome.err
    assert "resuming at generator step 3" in outcome.out
    assert states(tmp_path / "s") == ["finished"] * 3
    assert before == [(tmp_path / f"s/{n}/state.json").read_text() for n in (0, 2)]
    assert outcome.out.count("resuming at") == 1


@pytest.mark.slow
def test_a_queue_gives_each_job_a_place_of_its_own(srgan, moody, tmp_path: Path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    queue = ["hydra/launcher=queue", "hydra.launcher.device=cpu", "hydra.launcher.slots=2"]
    (tmp_path / "bad").touch()
    moods = "+generator.mood=good,bad"
    outcome = srgan("train", *moody, "-m", moods, *queue, "hydra.sweep.dir=s")
    assert outcome.status == 1, outcome.err
    assert states(tmp_path / "s") == ["finished", "failed"]
    good, bad = (read_state(tmp_path / f"s/{n}") for n in (0, 1))
    assert good.pid != bad.pid
    assert good.started <= bad.updated  # to the second
    assert bad.started <= good.updated
    assert "in a bad mood" in (tmp_path / "s/1/output.log").read_text()
    config = (tmp_path / "s/1/.hydra/overrides.yaml").read_text()
    assert "+generator.mood=bad" in config


@pytest.mark.slow
def test_submitit_runs_jobs_as_processes_of_their_own(srgan, moody, tmp_path: Path):
    (tmp_path / "bad").touch()
    moods = ["+generator.mood=good,bad", "hydra/launcher=submitit_local"]
    outcome = srgan("train", *moody, "-m", *moods, "hydra.sweep.dir=s")
    assert outcome.status == 1, outcome.err
    assert "srgan: job 1 (mood=bad) failed: ZeroDivisionError: in a bad mood" in outcome.err
    assert states(tmp_path / "s") == ["finished", "failed"]
    good, bad = (read_state(tmp_path / f"s/{n}") for n in (0, 1))
    assert good.pid != bad.pid
    logs = sorted((tmp_path / "s/.submitit").rglob("*_log.err"))
    assert "in a bad mood" in "".join(path.read_text() for path in logs)


@pytest.mark.parametrize("named", [None, "GPU-a,GPU-b,GPU-c", "3,1"])
def test_places_are_the_visible_gpus(monkeypatch, named):
    gpus = named.split(",") if named else ["0", "1"]
    monkeypatch.setattr("torch.cuda.device_count", lambda: len(gpus))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    places = place_environments("auto", None)
    assert [place["CUDA_VISIBLE_DEVICES"] for place in places] == gpus
    assert {place["OMP_NUM_THREADS"] for place in places} == {str(12 // len(gpus))}
    assert len(place_environments("gpu", 1)) == 1
    with pytest.raises(UserError, match="visible GPUs"):
        place_environments("auto", 9)
    shares = place_environments("cpu", 4)
    assert shares == [{"OMP_NUM_THREADS": "3"}] * 4
    assert len(place_environments("cpu", None)) == 3


def test_optuna_ranks_a_diverged_trial_last_and_goes_on(command, moody, tmp_path: Path):
    (tmp_path / "bad").touch()
    search = [
        *["hydra/sweeper=optuna", "hydra.sweeper.seed=1", "hydra.sweeper.pruner=none"],
        *["hydra.sweeper.trials=4", "hydra.sweeper.batch=4", "hydra.sweep.dir=s"],
        *["+generator.mood=good,void,bad", "optim.max_nonfinite=2"],
    ]
    outcome = command("train", *moody, "-m", *search)
    moods = [job.overrides[0].partition("=")[2] for job in read_sweep(tmp_path / "s").jobs]
    assert set(moods) == {"good", "void", "bad"}, moods
    assert outcome.status == 1
    expected = {"good": "finished", "void": "failed", "bad": "failed"}
    assert states(tmp_path / "s") == [expected[mood] for mood in moods]
    void = read_state(tmp_path / "s" / str(moods.index("void")))
    assert void.diverged
    assert math.isnan(void.figures["val/psnr"])
    assert f"srgan: job {moods.index('void')} (mood=void) diverged: step " in outcome.err
    told = values_told(tmp_path / "s")
    assert told.count(-math.inf) == moods.count("void")
    assert len(told) == moods.count("void") + moods.count("good")

    (tmp_path / "bad").unlink()
    outcome = command("sweep", "resume", "s")
    assert outcome.status == 0, outcome.err
    assert states(tmp_path / "s") == [{"void": "failed"}.get(mood, "finished") for mood in moods]
    assert len(values_told(tmp_path / "s")) == 4
    assert len(read_sweep(tmp_path / "s").jobs) == 4


def values_told(sweep: Path) -> list[float]:
    entries = [json.loads(line) for line in (sweep / "optuna.journal").read_text().splitlines()]
    return [entry["values"][0] for entry in entries if entry.get("values")]


@pytest.mark.slow
def test_optuna_prunes_what_is_worse_than_the_others_were(command, small, tmp_path: Path):
    kept = [a for a in small if not a.startswith(("schedule.stages", "trainer.val", "logger"))]
    outcome = command(
        *["train", *kept, "schedule=pixel", "schedule.stages.pixel.steps=6"],
        *["trainer.val_every_n_steps=2", "hydra.sweep.dir=s", "-m"],
        *["search=pixel", "hydra.sweeper.trials=9", "hydra.sweeper.startup_trials=9"],
    )
    assert outcome.status == 0, outcome.err
    ends = [read_state(tmp_path / f"s/{n}") for n in range(9)]
    assert {end.state for end in ends[:4]} == {"finished"}
    pruned = [end for end in ends if end.state == "pruned"]
    assert pruned
    for end in pruned:
        assert end.reason.startswith(f"pruned at step {end.step}: ")
        assert end.step < 6
        assert end.figures["val/psnr"] < max(e.figures["val/psnr"] for e in ends)


@pytest.mark.slow
def test_a_run_of_a_sweep_is_named_by_what_differs(command, moody, tmp_path: Path):
    kept = [a for a in moody if not a.startswith("logger")]
    outcome = command(
        "train", *kept, "-m", "seed=3,4", "+generator.mood=x", "hydra.sweep.dir=sweeps/of seeds"
    )
    assert outcome.status == 0, outcome.err
    for number, seed in enumerate((3, 4)):
        (file,) = (tmp_path / f"sweeps/of seeds/{number}").rglob("run-*.wandb")
        data = file.read_bytes()
        assert f"seed={seed}".encode() in data
        assert b"of seeds" in data


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hydra/sweeper=optuna"], "nothing to search; take search=gan"),
        (["hydra/sweeper=optuna", "seed=interval(5,1)"], "seed: cannot be searched"),
        (["hydra/sweeper=optuna", "hydra.sweeper.trials=0", "seed=1,2"], "trials=0: at least 1"),
        (["search=pixel", "hydra.sweeper.pruner=medium"], "did you mean median?"),
        (["seed=interval(1,5)"], "does not support sweep type"),
        (["seed=1,2", "hydra/launcher=queue", "hydra.launcher.device=tpu"], "known: auto, cpu, gp"),
        (["seed=1,2", "hydra/launcher=queue", "hydra.launcher.slots=0"], "at least one job"),
        (["seed=1,2", "hydra/launcher=slurm"], "known: basic, queue, submitit_local"),
    ],
)
def test_a_mistake_in_a_sweep_is_told_in_one_line(command, small, arguments, told, tmp_path):
    outcome = command("train", *small, "-m", *arguments, "hydra.sweep.dir=s")
    assert outcome.status == 2
    *_, line = outcome.err.splitlines()
    assert line.startswith("srgan: error: ")
    assert told in line
    assert not (tmp_path / "s/0/checkpoints").exists()


@pytest.mark.parametrize(
    ("module", "choice", "extra"),
    [
        ("optuna", "search=pixel", "optuna"),
        ("submitit", "hydra/launcher=submitit_local", "slurm"),
        ("submitit", "hydra/launcher=submitit_slurm", "slurm"),
    ],
)
def test_an_absent_extra_is_named(command, small, monkeypatch, module, choice, extra):
    monkeypatch.setitem(sys.modules, module, None)
    outcome = command("train", *small, "-m", "seed=1,2", choice, "hydra.sweep.dir=s")
    assert outcome.status == 2
    *_, line = outcome.err.splitlines()
    assert line.startswith("srgan: error: hydra/")
    assert line.endswith(f"pip install 'srgan-lightning[{extra}]'")


def test_a_search_is_not_for_a_single_run(command, small):
    outcome = command("train", *small, "search=gan")
    assert outcome.status == 2
    assert outcome.err == "srgan: error: search=gan: is for a sweep; add -m\n"


def test_what_is_no_sweep_is_not_resumed(command, tmp_path: Path):
    outcome = command("sweep", "resume", "nowhere")
    assert (outcome.status, outcome.err) == (
        2,
        "srgan: error: nowhere: this is not the folder of a sweep (no sweep.json in it)\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_saves_the_step_that_it_interrupts(process, srgan, small, tmp_path, sent):
    kept = [a for a in small if not a.startswith("callbacks.checkpoint")]
    long = ["callbacks.checkpoint.every_n_steps=0", "schedule.stages.adversarial.steps=400"]
    with process("train", *kept, *long, "hydra.run.dir=run") as run:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            rows = tmp_path / "run/metrics.csv"
            if rows.is_file() and len(rows.read_text().splitlines()) > 10:
                break
            time.sleep(0.02)
        run.send_signal(sent)
        run.communicate(timeout=120)
    assert run.returncode == 128 + sent
    state = read_state(tmp_path / "run")
    assert state.state == "preempted"
    assert state.reason == f"{sent.name} at step {state.step}"
    assert 9 < state.step < 405
    resumed = srgan("train", "--resume", "run", f"trainer.max_steps={state.step + 1}")
    assert f"resuming at generator step {state.step}\n" in resumed.out

"""A run killed in mid-stage two and resumed equals one that was never stopped, bit for bit."""

import csv
import signal
import time
from pathlib import Path

import pytest
import torch
from equality import assert_equal, figures
from safetensors.torch import load_file

PIXEL, ADVERSARIAL, KILL_AT = 10, 120, 50


@pytest.fixture
def arguments(small) -> list[str]:
    kept = [option for option in small if not option.startswith("callbacks.checkpoint")]
    return [
        *["train", *kept, "callbacks.checkpoint.every_n_steps=7", "trainer.val_every_n_steps=30"],
        *[f"schedule.stages.pixel.steps={PIXEL}"],
        *[f"schedule.stages.adversarial.steps={ADVERSARIAL}"],
        "schedule.stages.adversarial.d_steps=2",
    ]


def test_killed_and_resumed_equals_never_stopped(arguments, process, srgan, tmp_path):
    whole = srgan(*arguments, "hydra.run.dir=whole")
    assert whole.status == 0, whole.err

    with process(*arguments, "hydra.run.dir=killed") as run:
        wait_for_step(tmp_path / "killed/metrics.csv", KILL_AT, run)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    saved = read(tmp_path / "killed")["srgan_lightning"]["step"]
    assert PIXEL < saved < PIXEL + ADVERSARIAL

    resumed = srgan("train", "--resume", "killed")
    assert resumed.status == 0, resumed.err
    assert f"resuming at generator step {saved}" in resumed.out

    a, b = read(tmp_path / "whole"), read(tmp_path / "killed")
    for checkpoint in (a, b):
        del checkpoint["srgan_lightning"]["facts"]["precision_reason"]  # quotes a measurement
    for part in ("state_dict", "optimizer_states", "srgan_lightning"):
        assert_equal(a[part], b[part], part)
    for file in sorted((tmp_path / "whole/checkpoints").glob("*.safetensors")):
        assert_equal(load_file(file), load_file(tmp_path / "killed/checkpoints" / file.name), file)
    assert figures(tmp_path / "whole") == figures(tmp_path / "killed")
    assert names(tmp_path / "whole") == names(tmp_path / "killed")
    assert not [name for name in names(tmp_path / "killed") if "part" in name or "tmp" in name]


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 1)])
def test_a_stopped_run_says_how_to_go_on(sent, status, arguments, process, tmp_path):
    with process(*arguments, "hydra.run.dir=stopped") as run:
        wait_for_step(tmp_path / "stopped/metrics.csv", PIXEL, run)
        run.send_signal(sent)
        out, err = run.communicate(timeout=60)
    assert run.returncode == status
    assert f"stopped; go on with: srgan train --resume {tmp_path / 'stopped'}" in out
    assert "Traceback" not in err


def wait_for_step(path: Path, step: int, run) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and run.poll() is None:
        if path.is_file():
            with path.open(newline="") as file:
                steps = [row["step"] for row in csv.DictReader(file)]
            if steps and int(steps[-1]) >= step:
                return
        time.sleep(0.005)
    pytest.fail(f"step {step} was not reached; exit status {run.returncode}")


def read(folder: Path):
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

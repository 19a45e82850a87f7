import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.state import (
    Job,
    Sweep,
    begin,
    is_alive,
    now,
    read_state,
    read_sweep,
    write_state,
    write_sweep,
)


def test_a_state_comes_back_as_it_was_written(tmp_path: Path):
    state = replace(begin(steps=10), step=4, figures={"val/psnr": 21.5}, reason="a 'reason'")
    written = write_state(tmp_path, state)
    assert read_state(tmp_path) == written
    assert replace(written, updated=state.updated) == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert read_state(tmp_path / "elsewhere") is None


def test_divergence_is_valid_json_and_nan_again(tmp_path: Path):
    write_state(tmp_path, replace(begin(), state="failed", figures={"val/psnr": math.nan}))
    text = (tmp_path / "state.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["figures"] == {"val/psnr": None}
    state = read_state(tmp_path)
    assert math.isnan(state.figures["val/psnr"])
    assert state.diverged
    assert not replace(state, figures={"val/psnr": 20.0}).diverged


def test_a_sweep_comes_back_as_it_was_written(tmp_path: Path):
    jobs = tuple(Job(number=n, folder=str(n), overrides=(f"seed={n}",)) for n in range(3))
    sweep = Sweep(created=now(), sweeper="grid", launcher="basic", jobs=jobs)
    write_sweep(tmp_path, sweep)
    assert read_sweep(tmp_path) == sweep


def test_labels_leave_no_doubt():
    overrides = ("schedule.stages.a.lr=1e-3", "schedule.stages.b.lr=1e-4", "+loss.pixel.eps=1")
    assert Job(number=0, folder="0", overrides=overrides).label == (
        "schedule.stages.a.lr=1e-3,schedule.stages.b.lr=1e-4,eps=1"
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": 1}', '{"figures": [], "jobs": 3}'])
def test_foreign_files_are_told_in_one_line(tmp_path: Path, text: str):
    (tmp_path / "state.json").write_text(text)
    (tmp_path / "sweep.json").write_text(text)
    for read, name in ((read_state, "state.json"), (read_sweep, "sweep.json")):
        with pytest.raises(UserError, match=name) as told:
            read(tmp_path)
        assert "\n" not in str(told.value)
    with pytest.raises(UserError, match="not the folder of a sweep"):
        read_sweep(tmp_path / "elsewhere")


def test_alive_is_the_process_that_wrote_it():
    mine = replace(begin(), slurm_job="")
    assert mine.pid == os.getpid()
    assert is_alive(mine)
    assert not is_alive(replace(mine, state="finished"))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert not is_alive(replace(mine, pid=gone.pid))
    assert is_alive(replace(mine, host="elsewhere", pid=gone.pid))


def test_the_job_of_slurm_is_named_as_slurm_names_it(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "14")
    assert begin().slurm_job == "14"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert begin().slurm_job == "12_3"

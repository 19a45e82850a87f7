"""How a sweep's state is told from what lies in its folder."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from srgan_lightning.cli import app
from srgan_lightning.errors import UserError
from srgan_lightning.sweeps.overview import look, short_keys
from srgan_lightning.sweeps.status import print_status
from srgan_lightning.tracking.state import Job, Sweep, begin, write_state, write_sweep

NAN = float("nan")


@pytest.fixture
def dead() -> int:
    """The id of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def sweep(tmp_path: Path, dead: int) -> Path:
    """Eight jobs, of which each has come to another end."""
    made = begin(steps=40)
    well = replace(made, step=40, figures={"val/psnr": 25.0, "val/ssim": 0.7})
    states = [
        replace(well, state="finished"),
        replace(well, state="finished", figures={"val/psnr": 26.0, "val/ssim": 0.8}),
        replace(well, state="failed", reason="diverged at step 9", figures={"val/psnr": NAN}),
        replace(made, step=10, figures={"val/psnr": 27.0}),
        replace(made, step=20, pid=dead, figures={"val/psnr": 20.0}),
        replace(made, state="pruned", step=10, reason="pruned", figures={"val/psnr": 10.0}),
        replace(made, state="preempted", pid=dead, reason="SIGTERM at step 7", step=7),
        None,
    ]
    for number, state in enumerate(states):
        if state is not None:
            write_state(tmp_path / str(number), state)
    jobs = tuple(
        Job(number=n, folder=str(n), overrides=(f"optim.lr={n}", "seed=1", "+width=8"))
        for n in range(len(states))
    )
    write_sweep(tmp_path, Sweep(created="", sweeper="basic", launcher="basic", jobs=jobs))
    return tmp_path


def test_each_job_is_told_with_its_status_and_why(sweep: Path):
    found = [(job.status, job.reason) for job in look(sweep).jobs]
    assert found == [
        ("finished", ""),
        ("finished", ""),
        ("failed", "diverged at step 9"),
        ("running", ""),
        ("failed", "it was killed"),
        ("pruned", "pruned"),
        ("failed", "SIGTERM at step 7; nobody goes on with it"),
        ("waiting", ""),
    ]


def test_only_what_differs_sets_jobs_apart(sweep: Path):
    overview = look(sweep)
    assert overview.keys == ["optim.lr"]
    assert [job.values["optim.lr"] for job in overview.jobs] == [str(n) for n in range(8)]


def test_finished_jobs_rank_first_and_a_diverged_one_is_last(sweep: Path):
    assert [job.job.number for job in look(sweep).ranked] == [1, 0, 3, 4, 5, 6, 7, 2]


def test_the_runs_say_which_figure_counts_and_whether_less_is_better(sweep: Path):
    (sweep / "1/config.yaml").write_text(
        "config: {callbacks: {checkpoint: {monitor: val/ssim, mode: min}}}"
    )
    overview = look(sweep)
    assert (overview.objective, overview.maximize) == ("val/ssim", False)
    assert [job.job.number for job in overview.ranked][:2] == [0, 1]
    (sweep / "1/config.yaml").write_text("- no config")
    with pytest.raises(UserError, match="is no config of a run"):
        look(sweep)


def test_the_table_has_a_line_a_job(sweep: Path):
    console = Console(width=30, record=True, file=io.StringIO())  # narrower than the table
    print_status(look(sweep), console)
    header, *lines = console.export_text().splitlines()
    assert header.split() == ["job", "status", "step", "lr", "val/psnr", "val/ssim"]
    assert lines[1].split() == ["1", "finished", "40/40", "100", "%", "1", "26", "0.8"]
    assert lines[3].split() == ["3", "running", "10/40", "25", "%", "3", "27", "–"]
    assert lines[4].split()[:2] == ["4", "failed"]
    assert "job 4 failed: it was killed" in [line.rstrip() for line in lines]
    assert lines[-1].rstrip() == (
        "8 jobs: 2 finished, 1 running, 1 waiting, 1 pruned, 3 failed; "
        "best by val/psnr: job 1 (lr=1,seed=1,width=8), 26"
    )


def test_a_program_reads_the_same(sweep: Path):
    told = CliRunner().invoke(app, ["sweep", "status", str(sweep), "--json"])
    found = json.loads(told.stdout, parse_constant=pytest.fail)  # JSON has no NaN
    overview = look(sweep)
    assert found["ranked"] == [job.job.number for job in overview.ranked]
    assert found["counts"] == overview.counts
    assert [job["status"] for job in found["jobs"]] == [job.status for job in overview.jobs]
    assert found["jobs"][1]["figures"] == {"val/psnr": 26.0, "val/ssim": 0.8}
    assert found["jobs"][2]["figures"] == {"val/psnr": None}
    assert found["jobs"][7]["values"]["optim.lr"] == "7"


def test_keys_of_one_end_keep_as_much_as_tells_them_apart():
    keys = ["loss.pixel.weight", "loss.adversarial.weight", "weight", "seed"]
    assert list(short_keys(keys).values()) == [
        "pixel.weight",
        "adversarial.weight",
        "weight",
        "seed",
    ]


def test_a_folder_that_is_no_sweep_ends_in_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="not the folder of a sweep"):
        look(tmp_path)

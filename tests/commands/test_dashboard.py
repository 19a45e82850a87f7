"""The workspace as wandb's own library writes it, and what of it the runs really log."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from srgan_lightning.cli import app
from srgan_lightning.errors import UserError
from srgan_lightning.tracking.state import Job, Sweep, write_sweep
from srgan_lightning.training.run import run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def panels(path: Path) -> dict[str, list[dict]]:
    document = json.loads(path.read_text())
    spec = document["spec"]
    spec = json.loads(spec) if isinstance(spec, str) else spec
    sections = spec["section"]["panelBankConfig"]["sections"]
    return {section["name"]: section["panels"] for section in sections}


def told(*arguments: object):
    return CliRunner().invoke(app, ["dashboard", *map(str, arguments)])


def test_offline_it_saves_the_panels_and_says_how_to_publish(tmp_path: Path):
    outcome = told("-o", tmp_path / "d.json")
    assert outcome.exit_code == 0, outcome.output
    assert "publish it: wandb login, then the same command with --publish" in outcome.output
    found = panels(tmp_path / "d.json")
    kinds = {name: [panel["viewType"] for panel in of] for name, of in found.items()}
    assert list(kinds) == ["Losses", "Stability", "Quality", "Pictures", "Sweep"]
    assert kinds["Quality"].count("Scatter Plot") == 2
    assert kinds["Pictures"] == ["Media Browser"]
    assert kinds["Sweep"] == ["Parallel Coordinates Plot", "Parameter Importance"]


def test_a_sweeps_axes_are_what_it_varies(tmp_path: Path):
    jobs = tuple(
        Job(number=n, folder=str(n), overrides=(f"optim.lr={n}", "seed=1")) for n in range(2)
    )
    write_sweep(tmp_path / "s", Sweep(created="", sweeper="b", launcher="b", jobs=jobs))
    assert told("-o", tmp_path / "d.json", "--sweep", tmp_path / "s").exit_code == 0
    plot, importance = panels(tmp_path / "d.json")["Sweep"]
    axes = [column["accessor"] for column in plot["config"]["columns"]]
    assert axes == ["config:optim.value.lr", "summary:val/psnr.max"]
    assert importance["config"]["targetKey"] == "val/psnr.max"


def test_its_figures_are_what_runs_log(compose, tmp_path: Path):
    assert told("-o", tmp_path / "d.json").exit_code == 0
    run(compose("callbacks.pictures_every_n_steps=5"), folder=tmp_path / "run")
    logged = set((tmp_path / "run/metrics.csv").read_text().splitlines()[0].split(","))
    lines = [
        figure
        for of in panels(tmp_path / "d.json").values()
        for panel in of
        for figure in panel["config"].get("metrics", [])
    ]
    assert len(lines) > 10
    assert set(lines) - logged <= {
        "final/after_pixel/lpips",  # where its weights are
        "final/after_adversarial/lpips",
    }


def test_publishing_without_an_account_is_told_in_one_line(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("wandb.login", lambda **_: False)
    outcome = told("-o", tmp_path / "d.json", "--publish")
    assert isinstance(outcome.exception, UserError)
    assert "run `wandb login` once" in str(outcome.exception)
    assert not (tmp_path / "d.json").exists()


def test_absent_it_is_told_in_one_line(monkeypatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    outcome = told("-o", tmp_path / "d.json")
    assert "pip install 'srgan-lightning[dashboard]'" in str(outcome.exception)

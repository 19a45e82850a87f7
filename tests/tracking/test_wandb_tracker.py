"""What an offline wandb run has on disk, read back record by record."""

import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wandb.proto import wandb_internal_pb2 as pb

from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.tracking.lineage import log_export
from srgan_lightning.tracking.wandb import WandbTracker
from srgan_lightning.training.run import run

HEADER, BLOCK, FULL, LAST = 7, 1 << 15, 1, 4


@GENERATORS.register("fails")
class Fails(SRResNet):
    """An SRResNet that fails at its sixth training step."""

    passes = 0

    def forward(self, lr):
        Fails.passes += self.training
        if Fails.passes == 6:
            raise ZeroDivisionError
        return super().forward(lr)


def records(path: Path) -> Iterator[pb.Record]:
    """Read a .wandb file: LevelDB's log format, a protobuf in each record."""
    data, place, body = path.read_bytes(), HEADER, b""
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        place += HEADER
        if place + length > len(data):
            return
        body += data[place : place + length]
        place += length
        if kind in (FULL, LAST):
            yield pb.Record.FromString(body)
            body = b""


def finished(path: Path) -> list[pb.Record]:
    """Read a finished run; wandb's own process may be writing its last records still."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        run = list(records(path))
        if any(record.WhichOneof("record_type") == "exit" for record in run):
            return run
        time.sleep(0.05)
    pytest.fail(f"{path} was not finished")


def read(folder: Path) -> list[list[pb.Record]]:
    return [finished(path) for path in sorted(folder.rglob("run-*.wandb"))]


def history(run: list[pb.Record]) -> list[dict]:
    rows = [r.history.item for r in run if r.WhichOneof("record_type") == "history"]
    return [{"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in r} for r in rows]


def exit_code(run: list[pb.Record]) -> int:
    (code,) = [r.exit.exit_code for r in run if r.WhichOneof("record_type") == "exit"]
    return code


@pytest.fixture
def values(compose):
    return compose("logger=wandb", "logger.tags=[a,b]", "callbacks.pictures_every_n_steps=5")


def test_a_run_leaves_config_figures_summaries_and_pictures(values, tmp_path: Path):
    mode = os.environ.get("WANDB_MODE")
    run(values, folder=tmp_path)
    assert os.environ.get("WANDB_MODE") == mode
    (tracked,) = read(tmp_path)

    (about,) = [r.run for r in tracked if r.WhichOneof("record_type") == "run"]
    assert about.run_id == (tmp_path / "wandb_id").read_text()
    assert (about.project, list(about.tags)) == ("srgan_lightning", ["a", "b"])
    config = {item.key: json.loads(item.value_json) for item in about.config.update}
    assert {key: config[key] for key in values} == json.loads(json.dumps(values))

    metrics = [r.metric for r in tracked if r.WhichOneof("record_type") == "metric"]
    best = {m.name for m in metrics if m.summary.max}
    assert best == {"val/psnr", "val/ssim"}
    assert all(m.step_metric == "generator_step" for m in metrics if m.name != "generator_step")

    rows = history(tracked)
    assert {row["generator_step"] for row in rows} == set(range(1, 11))
    logged = set().union(*rows)
    for figure in (
        *("loss/pixel", "loss/content", "loss/adversarial", "loss/generator"),
        *("loss/discriminator", "val/psnr", "val/ssim", "lr/generator", "lr/discriminator"),
        *("d_accuracy/hr", "d_accuracy/sr", "gradient_norm/generator", "images_per_second"),
    ):
        assert figure in logged
    for name, steps in (("pictures", {5, 10}), ("comparison", {10})):
        drawn = {row["generator_step"] for row in rows if f"{name}/path" in row}
        assert drawn == steps
        paths = [row[f"{name}/path"] for row in rows if f"{name}/path" in row]
        assert all(len(list(tmp_path.rglob(Path(path).name))) == 1 for path in paths)

    summary = {}
    for record in tracked:
        if record.WhichOneof("record_type") == "summary":
            for item in record.summary.update:
                summary["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    psnr = [row["val/psnr"] for row in rows if "val/psnr" in row]
    assert summary["val/psnr"] == {"max": max(psnr)}
    assert exit_code(tracked) == 0


def test_a_failed_run_ends_as_failed_and_goes_on_under_its_id(values, tmp_path: Path):
    values["generator"]["name"] = "fails"
    with pytest.raises(ZeroDivisionError):
        run(values, folder=tmp_path)
    (failed,) = read(tmp_path)
    assert exit_code(failed) == 1
    run(values, folder=tmp_path)
    files = sorted(tmp_path.rglob("run-*.wandb"))
    assert {path.stem for path in files} == {f"run-{(tmp_path / 'wandb_id').read_text()}"}
    codes, steps = set(), set()
    for path in files:
        tracked = finished(path)
        codes.add(exit_code(tracked))
        steps |= {row["generator_step"] for row in history(tracked)}
    assert codes == {0, 1}
    assert steps == set(range(1, 11))


def test_two_runs_of_one_process_are_separate(tmp_path: Path):
    trackers = [
        WandbTracker(tmp_path / name, project="p", mode="offline", config={"name": name})
        for name in ("a", "b")
    ]
    for step in (1, 2):
        for tracker in trackers:
            tracker.log_metrics({f"loss/{tracker.version}": 0.5}, step)
    for tracker in trackers:
        tracker.close()
    for name, tracker in zip(("a", "b"), trackers, strict=True):
        (tracked,) = read(tmp_path / name)
        assert [row["generator_step"] for row in history(tracked)] == [1, 2]
        assert all(f"loss/{tracker.version}" in row for row in history(tracked))
    assert trackers[0].version != trackers[1].version


def test_online_without_an_account_is_told_in_one_line(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("wandb.login", lambda **_: False)
    tracker = WandbTracker(tmp_path, project="p", mode="online", config={})
    with pytest.raises(UserError, match="needs an account: run `wandb login` once"):
        tracker.log_metrics({"loss": 1.0}, 1)


OUTLIVES = """
import os, signal, sys, time
from pathlib import Path
from srgan_lightning.tracking.lineage import log_export
from srgan_lightning.tracking.wandb import WandbTracker

tracker = WandbTracker(Path(sys.argv[1]), project="p", mode="offline", config={})
tracker.log_metrics({"loss": 1.0}, 1)
children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
service = int(*[pid for pid in children if "wandb" in Path(f"/proc/{pid}/cmdline").read_text()])
os.kill(service, signal.SIGTERM)
os.waitpid(service, 0)
time.sleep(1)  # the folder of the next part is named by the second
for step in (2, 3):
    tracker.log_metrics({"loss": 1.0}, step)
tracker.make_way()
tracker.close(exit_code=1)
"""


def test_a_run_outlives_the_process_that_wandb_starts(tmp_path: Path):
    alone = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    subprocess.run([sys.executable, "-c", OUTLIVES, str(tmp_path)], env=alone, check=True)
    *_, last = sorted(tmp_path.rglob("run-*.wandb"))
    tracked = finished(last)
    assert [row["generator_step"] for row in history(tracked)] == [2, 3]
    assert exit_code(tracked) == 1
    assert any(r.WhichOneof("record_type") == "preempting" for r in tracked)
    (about,) = [r.run for r in tracked if r.WhichOneof("record_type") == "run"]
    assert about.run_id == (tmp_path / "wandb_id").read_text()


def artifacts(run: list[pb.Record]) -> list[pb.ArtifactRecord]:
    """The artifacts of a run; wandb writes them as requests that a sync carries out."""
    found = [r.artifact for r in run if r.WhichOneof("record_type") == "artifact"]
    requests = [r.request for r in run if r.WhichOneof("record_type") == "request"]
    return found + [r.log_artifact.artifact for r in requests if r.HasField("log_artifact")]


def test_artifacts_lead_from_the_data_to_the_export(values, tmp_path: Path):
    run(values, folder=tmp_path / "run")
    generator = tmp_path / "run/checkpoints/generator.safetensors"
    (tracked,) = read(tmp_path / "run")
    data, checkpoint = artifacts(tracked)
    assert (data.type, data.use_after_commit) == ("dataset", True)
    assert (checkpoint.type, checkpoint.use_after_commit) == ("model", False)
    names = {entry.path for entry in checkpoint.manifest.contents}
    assert {"last.ckpt", "best.ckpt", "generator.safetensors"} <= names

    model = tmp_path / "model.onnx"
    model.write_bytes(b"some network")
    log_export(generator, model)
    (exported,) = [
        tracked
        for tracked in read(tmp_path / "run")
        if len(artifacts(tracked)) == 2 and artifacts(tracked)[1].type == "export"
    ]
    used, made = artifacts(exported)
    assert used.use_after_commit
    assert (used.name, used.digest) == (checkpoint.name, checkpoint.digest)
    assert [entry.path for entry in made.manifest.contents] == ["model.onnx"]
    assert exit_code(exported) == 0


def test_artifacts_wait_in_the_run_folder_as_they_were_logged(tmp_path: Path, monkeypatch):
    elsewhere = tmp_path / "home"
    monkeypatch.setenv("WANDB_DATA_DIR", str(elsewhere))
    folder = tmp_path / "run"
    checkpoint = folder / "checkpoints/last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"weights")
    tracker = WandbTracker(folder, project="p", mode="offline", config={})
    tracker.log_data({"training_pictures": ["a.png"]})
    tracker.log_checkpoints()
    (waiting,) = folder.rglob("artifacts/checkpoint-*/last.ckpt")
    assert waiting.samefile(checkpoint)  # no second copy
    newer = checkpoint.with_name("newer")
    newer.write_bytes(b"other weights")
    newer.replace(checkpoint)
    tracker.close()

    (tracked,) = read(folder)
    entries = [entry for a in artifacts(tracked) for entry in a.manifest.contents]
    assert [entry.path for entry in entries] == ["data.json", "last.ckpt"]
    for entry in entries:
        content = Path(entry.local_path).read_bytes()
        assert base64.b64encode(hashlib.md5(content).digest()).decode() == entry.digest
        assert Path(entry.local_path).is_relative_to(folder)
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []


def test_an_export_of_no_run_is_told_in_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="not in the folder of a run that was logged to wandb"):
        log_export(tmp_path / "a/checkpoints/generator.safetensors", tmp_path / "model.onnx")

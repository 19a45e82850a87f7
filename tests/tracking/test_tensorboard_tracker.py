"""What TensorBoard itself reads from a run, and what its page shows of a sweep."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.csv import CSVTracker
from srgan_lightning.tracking.tensorboard import TensorBoardTracker
from srgan_lightning.training.run import run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def read(folder: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    return events


def scalars(events) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def hparams(events) -> dict:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    found = HParamsPluginData.FromString(content).session_start_info.hparams
    return {key: getattr(value, value.WhichOneof("kind")) for key, value in found.items()}


def end(events) -> int:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = events.summary_metadata["_hparams_/session_end_info"].plugin_data.content
    return HParamsPluginData.FromString(content).session_end_info.status


def test_it_has_the_figures_pictures_and_options_of_a_run(compose, tmp_path: Path):
    from srgan_lightning.report.read import _read_curves

    values = compose("logger=tensorboard", "callbacks.pictures_every_n_steps=5")
    run(values, folder=tmp_path)
    events = read(tmp_path)
    ours = {
        name: [(step, pytest.approx(value, rel=1e-6)) for step, value in curve]
        for name, curve in _read_curves(tmp_path / "metrics.csv").items()
    }
    assert len(ours) > 10
    assert scalars(events) == ours
    assert [picture.step for picture in events.Images("pictures")] == [5, 10]
    assert [(p.step, p.width > 100) for p in events.Images("comparison")] == [(10, True)]
    options = hparams(events)
    assert options["generator.name"] == "srresnet"
    assert options["data.batch_size"] == 2
    assert options["trainer.compile"] is False
    assert end(events) == 1  # STATUS_SUCCESS


def test_a_resumed_run_hides_what_comes_again(tmp_path: Path):
    for resume_step, steps in ((0, range(1, 8)), (4, range(5, 10))):
        trackers = [
            tracker(resume_step=resume_step, **more)
            for tracker, more in (
                (lambda **more: CSVTracker(tmp_path / "metrics.csv", **more), {}),
                (lambda **more: TensorBoardTracker(tmp_path, **more), {"config": {"a": 1}}),
            )
        ]
        for tracker in trackers:
            for step in steps:
                tracker.log_metrics({"loss": step + resume_step / 10}, step)
            tracker.finalize("failed" if not resume_step else "success")
        if not resume_step:
            assert end(read(tmp_path)) == 2  # STATUS_FAILURE
            time.sleep(1)  # event files are named by the second
        trackers[1].close()
    (loss,) = scalars(read(tmp_path)).values()
    assert [step for step, _ in loss] == list(range(1, 10))
    assert [round(10 * math.modf(value)[0]) for _, value in loss] == [0] * 4 + [4] * 5


def test_absent_it_is_told_in_one_line(monkeypatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UserError, match=r"pip install 'srgan-lightning\[tensorboard\]'"):
        TensorBoardTracker(tmp_path, config={})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real TensorBoard on loopback that shows the folder."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", tmp_path, "--port", "0"]
    command += ["--load_fast", "false", "--host", "127.0.0.1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if "http://" in line:
                    yield "http://" + line.partition("http://")[2].split()[0]
                    break
            else:
                pytest.fail("TensorBoard did not start")
        finally:
            process.kill()


@pytest.mark.slow
def test_its_page_shows_curves_pictures_and_a_line_for_each_run(
    browser, compose, server: str, tmp_path: Path
):
    for number, blocks in enumerate((1, 2)):
        values = compose("logger=tensorboard", f"generator.blocks={blocks}")
        run(values, folder=tmp_path / str(number))
    session = requests.Session()
    session.trust_env = False
    until = time.monotonic() + 60
    while time.monotonic() < until:
        runs = session.get(f"{server}data/runs", timeout=10).json()
        if sorted(runs) == ["0", "1"]:
            break
        time.sleep(1)
    assert sorted(runs) == ["0", "1"]
    for page, words in (
        ("#timeseries", ["comparison", "d_accuracy"]),
        ("#hparams", ["generator.blocks", "Trial ID"]),
    ):
        browser.get("about:blank")
        browser.get(server + page)
        body = browser.find_element(By.TAG_NAME, "body")
        WebDriverWait(browser, 60).until(
            lambda _, body=body, words=words: all(word in body.text for word in words)
        )
        browser.save_screenshot(str(tmp_path / f"{page[1:]}.png"))

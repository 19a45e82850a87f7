"""Pictures of a folder computed several at once."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.inference.files import Task, plan
from srgan_lightning.inference.pipeline import Pipeline
from srgan_lightning.inference.torch_upscaler import LANES, TorchUpscaler
from srgan_lightning.networks import GENERATORS

SIDES = [(9, 14), (24, 20), (16, 16), (7, 30), (12, 12)]


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def upscaler() -> TorchUpscaler:
    torch.manual_seed(0)
    generator = GENERATORS.build("compact", {"blocks": 2, "width": 8}, scale=4)
    return TorchUpscaler(generator, precision="32-true")


@pytest.fixture
def pictures(tmp_path) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    made = {}
    for number, (height, width) in enumerate(SIDES):
        made[f"{number}.png"] = random.integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(made[f"{number}.png"]).save(tmp_path / f"in/{number}.png")
    return made


def tasks(folder: Path) -> list[Task]:
    return plan([folder / "in"], folder / "out")


def test_pictures_computed_at_once_are_those_computed_alone(tmp_path, upscaler, pictures):
    assert upscaler.lanes == 2
    started, threads, pixels = [], set(), []

    def start(task: Task) -> None:
        started.append(task.source.name)
        threads.add(threading.current_thread())

    pipeline = Pipeline(upscaler=upscaler, on_start=start, on_tile=pixels.append)
    outcomes = list(pipeline.run(tasks(tmp_path)))
    assert sorted(task.source.name for task, _ in outcomes) == sorted(pictures)
    assert [failure for _, failure in outcomes] == [None] * len(SIDES)
    assert sorted(started) == sorted(pictures)
    assert 2 <= len(threads) <= 3  # the odd one goes alone, before the others
    assert sum(pixels) == sum(16 * height * width for height, width in SIDES)
    for name, picture in pictures.items():
        written = np.asarray(Image.open(tmp_path / "out" / name)).astype(int)
        assert np.abs(written - upscaler.enlarge(picture)).max() <= 1


def test_each_lane_has_its_share_of_the_processor_and_of_memory(upscaler):
    whole = upscaler._affordable()
    with upscaler.sharing(2) as threads:
        assert {*threads.map(lambda _: torch.get_num_threads(), range(8))} == {1}
        assert upscaler._affordable() == pytest.approx(whole / 2, rel=0.2)
    assert torch.get_num_threads() == 2
    assert upscaler._affordable() == pytest.approx(whole, rel=0.2)


def test_no_more_lanes_than_threads_or_pictures(tmp_path, pictures):
    torch.set_num_threads(1)
    assert TorchUpscaler(GENERATORS.build("bicubic", {}, scale=4)).lanes == 1
    torch.set_num_threads(9)
    assert TorchUpscaler(GENERATORS.build("bicubic", {}, scale=4)).lanes == LANES


def test_a_broken_picture_fails_alone(tmp_path, upscaler, pictures):
    (tmp_path / "in/2.png").write_bytes((tmp_path / "in/2.png").read_bytes()[:60])
    outcomes = {t.source.name: f for t, f in Pipeline(upscaler=upscaler).run(tasks(tmp_path))}
    assert {name for name, failure in outcomes.items() if failure} == {"2.png"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("0.png", "1.png", "3.png", "4.png")
    ]


def test_a_fault_in_computing_is_not_told_as_one_of_writing(tmp_path, upscaler, pictures):
    def fail(pixels: int) -> None:
        raise ValueError("a fault")

    with pytest.raises(RuntimeError, match="computing failed: a fault"):
        list(Pipeline(upscaler=upscaler, on_tile=fail).run(tasks(tmp_path)[:4]))
    assert not list((tmp_path / "out").iterdir())


def test_broken_off_it_leaves_whole_pictures_only(tmp_path, upscaler, pictures):
    upscaler.tile = 4  # many strips
    run = Pipeline(upscaler=upscaler, on_tile=lambda _: time.sleep(0.05)).run(tasks(tmp_path)[:4])
    first, failure = next(run)
    assert failure is None
    run.close()
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert first.target.name in left
    assert len(left) < 4
    for name in left:
        Image.open(tmp_path / "out" / name).load()
    assert torch.get_num_threads() == 2

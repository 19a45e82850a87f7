"""Enlargement interrupted leaves whole files only, and goes on where it was."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.imaging.read import read_rgb

PICTURES = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures that take a while each."""
    folder = tmp_path / "in"
    folder.mkdir()
    draws = np.random.default_rng(0)
    for number in range(PICTURES):
        pixels = draws.integers(0, 256, (100, 100, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_resumed(sent, folder, process, srgan, tmp_path):
    out = tmp_path / "out"
    arguments = ["upscale", str(folder), "-o", str(out), "--model", "total_variation"]
    with process(*arguments) as run:
        deadline = time.monotonic() + 120
        while not list(out.glob("*.png")) and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(sent)
        run.communicate(timeout=60)
    assert run.returncode != 0
    made = sorted(out.glob("*.png"))
    assert 0 < len(made) < PICTURES
    for path in made:
        assert read_rgb(path).shape == (400, 400, 3)
    if sent != signal.SIGKILL:
        assert {path.name for path in out.iterdir()} == {path.name for path in made}

    before = {path: path.stat().st_mtime_ns for path in made}
    resumed = srgan(*arguments, "--resume")
    assert resumed.status == 0, resumed.err
    rest = PICTURES - len(made)
    assert f"{rest} of {rest} pictures enlarged" in resumed.out
    assert {path.name for path in out.iterdir()} == {f"{n:02}.png" for n in range(PICTURES)}
    assert {path: path.stat().st_mtime_ns for path in made} == before

"""A full disk ends a run in one line and leaves the last checkpoint whole."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from srgan_lightning.training.resume import read_checkpoint


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("left", [90_000, 0])
def test_told_in_one_line_and_the_old_checkpoint_is_whole(left, disk, small, command):
    arguments = ["train", *small, f"hydra.run.dir={disk}"]
    assert command(*arguments, "trainer.max_steps=3").status == 0
    checkpoint = disk / "checkpoints/last.ckpt"
    before = checkpoint.read_bytes()
    (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - left))

    outcome = command("train", "--resume", disk, "trainer.max_steps=null")
    assert outcome.status == 2
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("srgan: error: ")
    assert ("--resume" if left else "the disk is full") in outcome.err
    assert checkpoint.read_bytes() == before
    assert read_checkpoint(checkpoint)["step"] == 3
    assert not list(disk.rglob(".last.ckpt*"))

    (disk / "ballast").unlink()
    resumed = command("train", "--resume", disk, "trainer.max_steps=null")
    assert resumed.status == 0, resumed.err
    assert read_checkpoint(checkpoint)["step"] == 10

"""A process of a run that dies ends the others within seconds, with a line that says which."""

import signal
import time
from pathlib import Path

import pytest

DOOMED = '''
"""A generator that ends its process at its fourth forward pass for training."""
import os, pathlib, signal
import torch
from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet


@GENERATORS.register("doomed")
class Doomed(SRResNet):
    left = 4

    def forward(self, lr):
        if self.training and torch.is_grad_enabled():
            self.left -= 1
        if self.left == 0 and os.environ.get("LOCAL_RANK", "0") == os.environ["DOOMED"]:
            pathlib.Path("died").touch()
            if os.environ["FATE"] == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise UserError("the fourth pass fails")
        return super().forward(lr)
'''
SECONDS = 15  # on a busy machine
LEAVE = "and this run ends with it; `srgan train --resume RUN` goes on from last.ckpt"


@pytest.fixture
def doomed(small, process, tmp_path: Path, monkeypatch):
    """Train on two ranks until one ends; returns exit status and errors."""
    (tmp_path / "doomed.py").write_text(DOOMED)

    def run(rank: int, fate: str) -> tuple[int, list[str]]:
        monkeypatch.setenv("DOOMED", str(rank))
        monkeypatch.setenv("FATE", fate)
        options = ["generator.name=doomed", "plugins=[doomed]", "hydra.run.dir=run"]
        with process("train", *small, "trainer=ddp_cpu", *options) as started:
            try:
                _, err = started.communicate(timeout=240)
            finally:
                started.kill()
        # The pipe is closed: no process of the run is left.
        assert time.time() - (tmp_path / "died").stat().st_mtime < SECONDS
        lines = [line for line in err.splitlines() if line and not line.startswith("warning: ")]
        return started.returncode, lines

    return run


def test_a_rank_that_is_killed(doomed):
    status, lines = doomed(1, "killed")
    assert status == 2
    assert lines == [f"srgan: error: local rank 1 was killed by SIGKILL, {LEAVE}"]


@pytest.mark.slow
def test_a_rank_with_an_error(doomed):
    status, lines = doomed(1, "error")
    assert status == 2
    assert lines[0] == "srgan: error: the fourth pass fails"
    assert lines[1].startswith("srgan: error: local rank 1 ended with status 2")
    assert len(lines) == 2


@pytest.mark.slow
def test_rank_0_with_an_error(doomed):
    status, lines = doomed(0, "error")
    assert status == 2
    assert lines == ["srgan: error: the fourth pass fails"]


@pytest.mark.slow
def test_rank_0_that_is_killed(doomed):
    status, lines = doomed(0, "killed")
    assert status == -signal.SIGKILL
    assert lines == [f"srgan: error: rank 0 is gone, {LEAVE}"]

"""The real command, in this process and in processes of its own."""

import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from srgan_lightning.cli import main


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture
def command(tmp_path: Path, monkeypatch, capfd) -> Iterator[Callable[..., Outcome]]:
    """Run `srgan` in this process, in an empty folder."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["srgan", *map(str, arguments)])
        capfd.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as end:
                main()
        return Outcome(end.value.code or 0, *capfd.readouterr())

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    before = list(logging.root.handlers)
    yield run
    for handler in set(logging.root.handlers) - set(before):  # Hydra's run.log
        handler.close()
    logging.root.handlers[:] = before


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen]:
    """Start `srgan` in a process of its own, in an empty folder, on one thread."""

    def start(*arguments: object) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "srgan_lightning", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A background job of a shell ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


@pytest.fixture
def srgan(process) -> Callable[..., Outcome]:
    """Run `srgan` in a process of its own to its end."""

    def run(*arguments: object, timeout: float = 240) -> Outcome:
        with process(*arguments) as started:
            try:
                out, err = started.communicate(timeout=timeout)
            finally:
                started.kill()
        return Outcome(started.returncode, out, err)

    return run

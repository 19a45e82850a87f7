"""What do all loggers together cost?

The paper's GAN step runs on one thread in the project's Trainer with metrics.csv, TensorBoard and
wandb (offline) at once, and hands them all of its figures after every step, which is fifty times as
often as it does by default. Counted is CPU time, which a busy machine changes least: that of the
calls, of the threads that the loggers start, and of wandb's own process, against the rest of the
same steps, which is the step without a logger.

Run: python benchmarks/bench_loggers.py [--steps N] [--tiny]
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gan_step import PAPER, TINY, WARM_UP, Framework, compose_gan, random_batch

from srgan_lightning.precision import Resolved
from srgan_lightning.tracking.base import Tracker
from srgan_lightning.tracking.csv import CSVTracker
from srgan_lightning.tracking.tensorboard import TensorBoardTracker
from srgan_lightning.tracking.wandb import WandbTracker

LIMIT = 0.02
EVERY = 50  # generator steps between two readings by default: trainer.log_every_n_steps
TICK = os.sysconf("SC_CLK_TCK")


class Meter:
    """Counts the CPU seconds that trackers take, from the second step on."""

    def __init__(self) -> None:
        self.calls: dict[str, list[float]] = {}
        self.before = self.after = 0.0

    def attach(self, tracker: Tracker) -> Tracker:
        """Count a tracker's calls."""
        tracker.log_metrics = self._timed(tracker.name, tracker.log_metrics)
        return tracker

    def _timed(self, name: str, call: Callable[..., None]) -> Callable[..., None]:
        times = self.calls.setdefault(name, [])

        def timed(*arguments: Any, **named: Any) -> None:
            started = time.thread_time()
            call(*arguments, **named)
            times.append(time.thread_time() - started)
            if len(times) == WARM_UP:
                self.before = background()
            self.after = background()

        return timed

    def of_a_step(self, name: str, steps: int) -> float:
        """Return the mean CPU seconds of a tracker's calls in a step."""
        counted = self.calls[name]
        return sum(counted[len(counted) * WARM_UP // (steps + WARM_UP) :]) / steps


def background() -> float:
    """Return the CPU seconds of this process's other Python threads and of its children."""
    main = threading.main_thread().native_id
    threads = [thread.native_id for thread in threading.enumerate() if thread.native_id != main]
    paths = [Path(f"/proc/self/task/{thread}/stat") for thread in threads]
    children = Path(f"/proc/self/task/{main}/children").read_text().split()
    paths += [Path(f"/proc/{child}/stat") for child in children]
    total = 0
    for path in paths:
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--tiny", action="store_true", help="a network far too small, to try it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    size = TINY if arguments.tiny else PAPER
    values = compose_gan(*size, "trainer=cpu", "trainer.log_every_n_steps=1")
    resolved = Resolved("32-true", True, "the same for all")
    framework = Framework(values, resolved=resolved, batch=random_batch(values, paired=False))
    meter = Meter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trackers = [
            CSVTracker(folder / "metrics.csv"),
            TensorBoardTracker(folder, config=values),
            WandbTracker(folder, project="bench", mode="offline", config=values),
        ]
        step = framework.seconds(
            arguments.steps,
            trackers=[meter.attach(tracker) for tracker in trackers],
            clock=time.process_time,
        )
        sheet = picture_seconds(trackers[1:])
        for tracker in trackers:
            tracker.close()
    calls = {name: meter.of_a_step(name, arguments.steps) for name in meter.calls}
    calls["their threads and processes"] = (meter.after - meter.before) / arguments.steps
    cost = sum(calls.values())
    alone = step - cost
    for name, seconds in calls.items():
        print(f"{name:28s} {1000 * seconds:8.2f} ms a reading")
    print(f"{'a step without loggers':28s} {1000 * alone:8.1f} ms of CPU time, one thread")
    print(f"{'a sheet of pictures':28s} {1000 * sheet:8.1f} ms, by default every 5000 steps")
    share = cost / alone
    print(
        f"a reading after every step: {100 * share:.3f} % of the step (limit {100 * LIMIT:.0f} %)"
    )
    print(f"every {EVERY} steps, as by default: {100 * share / EVERY:.4f} %")
    shortest = cost / EVERY / LIMIT
    print(f"under {100 * LIMIT:.0f} % as long as a step takes more than {1000 * shortest:.1f} ms")
    if share > LIMIT and not arguments.tiny:
        raise SystemExit("the loggers cost too much")


def picture_seconds(trackers: list[Tracker]) -> float:
    """Return the CPU seconds that a sheet of pictures takes in those that keep it."""
    sheet = np.random.default_rng(0).integers(0, 256, (1280, 1488, 3), np.uint8)
    started = time.thread_time()
    for tracker in trackers:
        tracker.log_picture("pictures", sheet, step=10_000)
    return time.thread_time() - started


if __name__ == "__main__":
    main()

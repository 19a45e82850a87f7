"""What do several devices cost, and is that what arithmetic expects?

Each device gets a process of its own (gloo between CPU processes, NCCL between GPUs). Three ways of
training take turns in them: without any exchange (compute alone), with the project's strategy, and
with Lightning's DDP that searches for unused parameters. Between them the gradients' bytes are
reduced alone. From compute and communication follow bounds of the efficiency: everything hidden
behind the backward passes, or nothing.
"""

import json
import logging
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytorch_lightning as pl
import torch
import typer
from contest import Times, console, contest, goal, table
from gan_step import compose_gan, now
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, distributed, multiprocessing

from srgan_lightning.config import check
from srgan_lightning.data.batches import Pair
from srgan_lightning.training.build import build_module, quiet_lightning
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.devices import NetworkDDPStrategy

WARM_UP = 2  # DDP sorts its buckets after the first step
BUCKET = 25 * 2**20  # bytes, DDP's
PAPER = ("experiment=srgan", "loss.content.features.weights=random")
SMALL_BATCH = ("data.crop_size=32", "data.batch_size=2", "loss.content.layers=[relu1_2]")


class Silent(NetworkDDPStrategy):
    """Computes as the project's strategy does, and exchanges nothing."""

    def pre_backward(self, closure_loss: Tensor) -> None:
        """Expect nothing from the others."""

    def post_training_step(self) -> None:
        """Leave the statistics alone."""


STRATEGIES: dict[str, Callable[[], DDPStrategy]] = {
    "compute": Silent,
    "apart": NetworkDDPStrategy,
    "search": lambda: DDPStrategy(find_unused_parameters=True),
}


class Rank:
    """One process's part.

    Args:
        overrides: of the run.
        accelerator: `cpu` or `gpu`.
        devices: how many there are in all.
        steps: timed steps a turn.
    """

    def __init__(
        self, overrides: tuple[str, ...], accelerator: str, devices: int, steps: int
    ) -> None:
        values = compose_gan(*overrides)
        self.config = check(TrainConfig, values)
        self.accelerator, self.devices, self.steps = accelerator, devices, steps
        pl.seed_everything(0, verbose=False)
        self.module = build_module(self.config, values=values, facts={})
        side, count = self.config.data.crop_size, self.config.data.batch_size
        hr = torch.rand(count, 3, side, side)
        self.pair = Pair(torch.nn.functional.avg_pool2d(hr, self.config.scale), hr)
        networks = (self.module.generator, self.module.discriminator)
        self.sizes = [sum(p.numel() for p in n.parameters()) for n in networks if n is not None]

    def train(self, strategy: str) -> float:
        """Train a few steps by a strategy; returns the seconds of one."""
        watch = Watch(self.pair, self.steps)
        pl.Trainer(
            accelerator=self.accelerator,
            devices=self.devices,
            strategy=STRATEGIES[strategy](),
            max_epochs=1,
            limit_val_batches=0,
            logger=False,
            callbacks=[watch],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        ).fit(self.module, watch)
        return (watch.stopped - watch.started) / self.steps

    def reduce(self) -> float:
        """Reduce both networks' gradients in buckets; returns the seconds."""
        device = "cpu" if self.accelerator == "cpu" else f"cuda:{os.environ['LOCAL_RANK']}"
        gradients = [torch.zeros(size, device=device) for size in self.sizes]
        buckets = [part for whole in gradients for part in whole.split(BUCKET // 4)]
        distributed.barrier()
        started = now()
        for work in [distributed.all_reduce(bucket, async_op=True) for bucket in buckets]:
            work.wait()
        return now() - started


class Watch(pl.Callback):
    """Hands out the same pair at every step, and times all steps after the first."""

    def __init__(self, pair: Pair, steps: int) -> None:
        self.pair = pair
        self.steps = steps
        self.started = self.stopped = 0.0

    def __len__(self) -> int:
        return WARM_UP + self.steps

    def __iter__(self) -> Iterator[Pair]:
        for index in range(len(self)):
            if index == WARM_UP:
                self.started = now()
            yield self.pair

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        self.stopped = now()


def measure(
    local_rank: int,
    overrides: tuple[str, ...],
    accelerator: str,
    devices: int,
    rounds: int,
    steps: int,
    port: int,
    result: Path,
) -> None:
    """Be one of the processes; the first one writes down its times and the networks' sizes."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"LOCAL_RANK": str(local_rank), "NODE_RANK": "0"}
    torch.set_num_threads(max(1, torch.get_num_threads() // devices))
    warnings.simplefilter("ignore")
    with quiet_lightning():
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        rank = Rank(overrides, accelerator, devices, steps)
        rank.train("apart")  # the processes find each other
        turns = {name: lambda n=name: rank.train(n) for name in STRATEGIES}
        console.quiet = local_rank > 0
        times = contest({**turns, "reduce": rank.reduce}, rounds=rounds)
    if local_rank == 0:
        result.write_text(json.dumps({"seconds": times.seconds, "sizes": rank.sizes}))
    distributed.barrier()


def main(
    overrides: Annotated[list[str] | None, typer.Argument(help="of the run")] = None,
    accelerator: Annotated[str, typer.Option(help="cpu or gpu")] = "cpu",
    devices: Annotated[int, typer.Option(help="processes, one a device")] = 2,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed steps a turn")] = 3,
) -> None:
    """Compare compute, communication and training on several devices."""
    small = SMALL_BATCH if accelerator == "cpu" else ()
    chosen = (*PAPER, *small, *(overrides or ()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "times.json"
        arguments = (chosen, accelerator, devices, rounds, steps, port, result)
        started = time.perf_counter()
        multiprocessing.spawn(measure, arguments, nprocs=devices)
        told = json.loads(result.read_text())
    show(Times(told["seconds"]), told["sizes"], accelerator, devices)
    console.print(f"in {time.perf_counter() - started:.0f} s")


def show(times: Times, sizes: list[int], accelerator: str, devices: int) -> None:
    """Print what was measured beside what follows from compute and communication alone."""
    backend = "gloo" if accelerator == "cpu" else "NCCL"
    shown = table(f"GAN step on {devices} devices ({backend})", "", "ms a step", "efficiency")
    compute, reduce = times.median("compute"), times.median("reduce")
    shown.add_row("compute alone", f"{1e3 * compute:.1f}", "1")
    sent = 4 * sum(sizes) * 2 * (devices - 1) / devices
    speed = f"{sent / 1e6:.0f} MB sent by each, {sent / reduce / 1e9:.2f} GB/s"
    shown.add_row(f"communication alone: {speed}", f"{1e3 * reduce:.1f}", "")
    for name, together in (
        ("expected, nothing hidden", compute + reduce),
        ("expected, all hidden", max(compute, reduce)),
    ):
        shown.add_row(name, f"{1e3 * together:.1f}", f"{compute / together:.3f}")
    for name, strategy in (
        ("measured, each network apart", "apart"),
        ("measured, search for unused parameters", "search"),
    ):
        efficiency = times.ratio("compute", strategy)
        shown.add_row(name, f"{1e3 * times.median(strategy):.1f}", f"{efficiency:.3f}")
    console.print(shown)
    faster = times.ratio("search", "apart")
    console.print(f"apart over search: {goal(faster > 1, f'{faster:.2f} times as fast')}")


if __name__ == "__main__":
    typer.run(main)

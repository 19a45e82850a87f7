"""One of two processes that train together; `test_two_ranks.py` starts both and imports this.

Run with a folder that holds `cases.json`, and LOCAL_RANK set; leaves `RANK.pt` there.
"""

import json
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DDPStrategy
from torch.distributed import GradBucket
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.utils.data import DataLoader

from srgan_lightning.config import check
from srgan_lightning.data.batches import Pair
from srgan_lightning.training.build import build_datamodule, build_module, quiet_lightning
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.devices import NetworkDDPStrategy
from srgan_lightning.training.module import SRGANModule

Values = Mapping[str, Any]
PICTURES = (5, 1)


def train(values: Values, share: slice, **trainer: Any) -> SRGANModule:
    """Train on a share of the crops of every micro-batch."""
    config = check(TrainConfig, values)
    pl.seed_everything(0, verbose=False)
    module = build_module(config, values=values, facts={})
    batches = []
    for step in range(module.schedule.total):
        parts = max(1, module.schedule.at(step).d_updates) * config.optim.accumulate
        hr = torch.rand(2 * parts, 3, 32, 32, generator=torch.Generator().manual_seed(step))
        batches.append(Pair(torch.nn.functional.avg_pool2d(hr, 4)[share], hr[share]))
    _trainer(limit_val_batches=0, **trainer).fit(module, DataLoader(batches, batch_size=None))  # type: ignore[arg-type]
    return module


def validate(values: Values, count: int, **trainer: Any) -> dict[str, float]:
    """Return the figures of the first so many held-out pictures."""
    config = check(TrainConfig, values)
    pl.seed_everything(0, verbose=False)
    module, datamodule = build_module(config, values=values, facts={}), build_datamodule(config)
    training, (hr, lr) = datamodule._opened
    datamodule._sources = training, (hr.subset(range(count)), lr)
    _trainer(**trainer).validate(module, datamodule, verbose=False)
    return module.validation


def _trainer(**options: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **options,
    )


class Counting(NetworkDDPStrategy):
    """Counts the gradients that are exchanged."""

    sent = 0

    def configure_ddp(self) -> None:
        super().configure_ddp()
        for network in self._networks:
            network.register_comm_hook(None, self.count)

    def count(self, state: None, bucket: GradBucket) -> torch.futures.Future[torch.Tensor]:
        self.sent += bucket.buffer().numel()
        return allreduce_hook(None, bucket)  # type: ignore[arg-type]


def main(folder: Path, rank: int) -> None:
    """Train every case by the project's strategy and by Lightning's, and validate."""
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    cases = json.loads((folder / "cases.json").read_text())
    share, found = slice(rank, None, 2), {}
    for case, values in cases.items():
        ours, theirs = Counting(), DDPStrategy(find_unused_parameters=True)
        found[f"{case} ours"] = train(values, share, devices=2, strategy=ours).state_dict()
        found[f"{case} sent"] = ours.sent
        found[f"{case} theirs"] = train(values, share, devices=2, strategy=theirs).state_dict()
    first = cases["batch norm"]
    first["trainer"]["max_steps"] = 1
    module = train(first, share, devices=2, strategy=NetworkDDPStrategy())
    found["first step of batch norm"] = module.state_dict()
    for count in PICTURES:
        strategy = NetworkDDPStrategy()
        found[f"{count}"] = validate(cases["plain"], count, devices=2, strategy=strategy)
    torch.save(found, folder / f"{rank}.pt")


if __name__ == "__main__":
    with quiet_lightning():
        main(Path(sys.argv[1]), int(os.environ["LOCAL_RANK"]))

"""How many random crops does one core load?

The project's loader (StepSampler, CropDataset, DataLoader without workers, so everything runs on
one core) cuts 96-pixel crops from a store that `srgan prepare` packs, and, in turns, from the same
2K pictures as PNG and as JPEG files, where every crop costs a decoding.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from contest import console, contest, goal, machine, table
from PIL import Image
from torch.utils.data import DataLoader

from srgan_lightning.data.crops import CropDataset
from srgan_lightning.data.sampler import StepSampler
from srgan_lightning.data.sources import open_source
from srgan_lightning.data.store import pack

GOAL = 5000  # crops a second and core
SIZE = (1356, 2040)  # as DIV2K's pictures
BATCH = 16


def main(
    pictures: Annotated[int, typer.Option(help="how many 2K pictures")] = 24,
    steps: Annotated[int, typer.Option(help="batches of 16 a turn, from the store")] = 200,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
) -> None:
    """Compare loading crops from a store with decoding files."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder, pictures)
        pack(folder / "png", folder / "store.safetensors")
        loaders = {
            "store": Loader(folder / "store.safetensors"),
            "PNG": Loader(folder / "png"),
            "JPEG": Loader(folder / "jpeg"),
        }
        times = contest(
            {
                "store": lambda: loaders["store"].seconds(steps),
                "PNG": lambda: loaders["PNG"].seconds(1),
                "JPEG": lambda: loaders["JPEG"].seconds(1),
            },
            rounds=rounds,
        )
    result = table(
        f"96-pixel crops from {pictures} pictures of 2040x1356 ({machine(torch.device('cpu'))})",
        "from",
        "crops/s and core",
        "ratio to decoding",
    )
    for source in loaders:
        ratio = (
            "1"
            if source != "store"
            else ", ".join(
                f"{times.ratio(files, 'store'):.0f} ({files})" for files in ("PNG", "JPEG")
            )
        )
        result.add_row(source, f"{1 / times.median(source):,.0f}", ratio)
    console.print(result)
    console.print(goal(1 / times.median("store") >= GOAL, f"≥ {GOAL:,} crops/s and core"))


class Loader:
    """Endless batches of crops from a store or a folder.

    Args:
        path: a store, or a folder whose pictures are decoded for every crop.
    """

    def __init__(self, path: Path) -> None:
        source = open_source(str(path), min_size=96, memory=0)
        sampler = StepSampler(
            pictures=len(source),
            batch_size=BATCH,
            total_steps=1_000_000,
            chunks=lambda step: 1,
            seed=0,
        )
        dataset = CropDataset(hr=source, lr=None, crop_size=96, scale=4)
        loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=lambda batch: batch)
        self.batches: Iterator[object] = iter(loader)
        next(self.batches)

    def seconds(self, batches: int) -> float:
        """Load some batches; returns the seconds of one crop."""
        started = time.perf_counter()
        for _ in range(batches):
            next(self.batches)
        return (time.perf_counter() - started) / (batches * BATCH)


def write_pictures(folder: Path, count: int) -> None:
    """Write smooth pictures with some noise, about as hard to decode as photographs."""
    generator = np.random.default_rng(0)
    height, width = SIZE
    for suffix in ("png", "jpeg"):
        (folder / suffix).mkdir()
    for index in range(count):
        coarse = generator.integers(256, size=(height // 60, width // 60, 3), dtype=np.uint8)
        smooth = np.asarray(
            Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        )
        noise = generator.normal(scale=4, size=(height, width, 1))
        picture = Image.fromarray((smooth + noise).clip(0, 255).astype(np.uint8))
        picture.save(folder / "png" / f"{index:04d}.png", compress_level=3)
        picture.save(folder / "jpeg" / f"{index:04d}.jpg", quality=95)


if __name__ == "__main__":
    typer.run(main)

"""What do files cost? A folder of pictures enlarged, against its pictures by the network alone.

All take turns in one process, on the same upscaler: `files` reads 50 PNG files and writes 50, as
`srgan upscale` does; `network` computes as many pictures at once as that does; `one by one` gives
each picture all threads.
"""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from contest import console, contest, goal, machine, table
from upscalers import new_generator

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.files import plan
from srgan_lightning.inference.pipeline import Pipeline
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.samples import sample_folder

PICTURES, GOAL = 50, 0.95


def main(
    side: Annotated[int, typer.Option(help="of a picture, LR pixels")] = 128,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 3,
) -> None:
    """Print the share of the network's throughput that files leave."""
    keep_freed_memory()
    upscaler = TorchUpscaler(new_generator("srresnet"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photograph = read_rgb(sample_folder("heldout") / "casa-mila.jpg")
        draws = np.random.default_rng(0)
        for number in range(PICTURES):
            top, left = (draws.integers(0, length - side) for length in photograph.shape[:2])
            crop = photograph[top : top + side, left : left + side]
            write_png(folder / f"in/{number:02}.png", np.ascontiguousarray(crop))
        pictures = [read_rgb(path) for path in list_images(folder / "in")]

        def one_by_one() -> float:
            start = time.perf_counter()
            for picture in pictures:
                upscaler.enlarge(picture)
            return time.perf_counter() - start

        def network() -> float:
            start = time.perf_counter()
            with upscaler.sharing(upscaler.lanes) as threads:
                list(threads.map(upscaler.enlarge, pictures))
            return time.perf_counter() - start

        def files() -> float:
            start = time.perf_counter()
            tasks = plan([folder / "in"], folder / "out", present="overwrite")
            for _, failure in Pipeline(upscaler=upscaler).run(tasks):
                assert failure is None
            return time.perf_counter() - start

        upscaler.enlarge(pictures[0])
        times = contest(
            {"one by one": one_by_one, "network": network, "files": files}, rounds=rounds
        )
    share = times.ratio("network", "files")
    console.print(machine(torch.device("cpu")))
    result = table(f"SRResNet-16, {PICTURES} pictures of {side} x {side}", "", "s", "throughput")
    alone = times.ratio("network", "one by one")
    result.add_row("one by one", f"{times.median('one by one'):.2f}", f"{alone:.3f}")
    result.add_row("network", f"{times.median('network'):.2f}", "1")
    result.add_row("files", f"{times.median('files'):.2f}", f"{share:.3f}")
    console.print(result)
    console.print(goal(share >= GOAL, f"≥ {GOAL} of the network's throughput"))


if __name__ == "__main__":
    typer.run(main)

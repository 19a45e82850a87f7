"""How long does an evaluation on Set5 and Set14 take, but for the network?

    python benchmarks/bench_evaluate.py SET5_FOLDER SET14_FOLDER

Both sets are proved to be themselves, LR is made, every figure taken, and pictures, tables and
intervals are written, in a process of its own that has imported everything. The network's seconds
are left out.
"""

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from contest import console, goal, machine, table

from srgan_lightning.config import check
from srgan_lightning.evaluation.bootstrap import compare
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.request import answer
from srgan_lightning.evaluation.save import save

GOAL = 3.0  # seconds


def evaluate(name: str, folder: Path, model: str) -> tuple[float, float]:
    """Return the seconds of an evaluation without the network, and those of the network."""
    asked = check(
        EvaluateConfig,
        {
            "model": model,
            "data": {"set": name, "hr": str(folder)},
            "degradation": {"name": "bicubic"},
        },
    )
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        figures = answer(asked, pictures=Path(place, "pictures"))
        save(figures, Path(place), differences=compare(figures))
        whole = time.perf_counter() - start
    network = sum(row.figures["seconds"] for row in figures.rows)
    return whole - network, network


def both(folders: list[Path], model: str, threads: int) -> list[tuple[float, float]]:
    """Evaluate on both sets, in a fresh process."""
    torch.set_num_threads(threads)
    return [evaluate(*each, model) for each in zip(("set5", "set14"), folders, strict=True)]


def main() -> None:
    """Print the table and the goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set5", type=Path, nargs="?")
    parser.add_argument("set14", type=Path, nargs="?")
    parser.add_argument("--model", default="bicubic")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.set14 is None:
        console.print("needs pictures: give the folders of Set5's and Set14's HR")
        return
    rounds = []
    for _ in range(asked.rounds):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            job = process.submit(
                both, [asked.set5, asked.set14], asked.model, torch.get_num_threads()
            )
            rounds.append(job.result())
    shown = table("Evaluation, seconds", "round", "Set5", "Set14", "both", f"{asked.model} itself")
    totals = []
    for number, ((five, net5), (fourteen, net14)) in enumerate(rounds, 1):
        totals.append(five + fourteen)
        cells = (five, fourteen, five + fourteen, net5 + net14)
        shown.add_row(str(number), *(f"{value:.2f}" for value in cells))
    console.print(shown)
    console.print(machine(torch.device("cpu")))
    console.print(goal(min(totals) <= GOAL, f"all but the network within {GOAL:g} s"))


if __name__ == "__main__":
    main()

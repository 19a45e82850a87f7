"""What must be known of trained weights before they ship, beyond the figures of `srgan evaluate`.

    python benchmarks/pretrained.py MODEL... --hr FOLDER --hr FOLDER [--stars]

A column for each model: PSNR on Y; the shift of brightness; the sharpness; and in flat areas the
up-sampler's grid and the grain. With --stars also which stars are found and which are invented
(wants `pip install sep`).
"""

import statistics
from pathlib import Path
from typing import Annotated, Any

import typer
from contest import console
from flatness import Flatness
from rich.table import Table

from srgan_lightning.evaluation.pairs import DegradedPairs
from srgan_lightning.evaluation.request import build_degradation
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.metrics import brightness_shift, psnr, sharpness


def main(
    models: Annotated[list[str], typer.Argument(help="files, or names of methods")],
    hr: Annotated[list[Path], typer.Option(help="folders of HR pictures, all taken together")],
    degradation: Annotated[str, typer.Option(help="how LR is made")] = "bicubic",
    stars: Annotated[bool, typer.Option(help="detect and compare stars")] = False,
    only: Annotated[str, typer.Option(help="measure pictures whose name has this")] = "",
) -> None:
    """Measure models and print a table."""
    rows = {model: measure(model, hr, degradation, stars=stars, only=only) for model in models}
    table = Table("", *rows)
    for name in next(iter(rows.values())):
        table.add_row(name, *(f"{figures[name]:.4g}" for figures in rows.values()))
    console.print(table)


def measure(
    model: str, folders: list[Path], degradation: str, *, stars: bool = False, only: str = ""
) -> dict[str, float]:
    """Return a model's figures over all pictures of some folders."""
    upscaler = TorchUpscaler.load(model, precision="32-true")
    reduce = build_degradation({"name": degradation}, scale=upscaler.scale)
    flatness = Flatness()
    heavens: Any = _stars() if stars else None
    figures: list[tuple[float, float, float]] = []
    for folder in folders:
        for pair in DegradedPairs(folder, degradation=reduce):
            if only not in pair.name:
                continue
            sr = upscaler(pair.lr)
            flatness.update(sr, pair.hr)
            if heavens is not None:
                heavens.update(sr, pair.hr, pair.lr)
            taken = (psnr(sr, pair.hr), brightness_shift(sr, pair.hr), sharpness(sr, pair.hr))
            figures.append(tuple(figure.item() for figure in taken))
    decibels, shifts, sharp = zip(*figures, strict=True)
    return {
        "PSNR": statistics.mean(decibels),
        "shift": statistics.mean(shifts),
        "worst_shift": max(shifts, key=abs),
        "sharpness": statistics.mean(sharp),
        **flatness.figures(),
        **(heavens.figures() if heavens is not None else {}),
    }


def _stars() -> Any:
    from stars import Stars

    return Stars()


if __name__ == "__main__":
    typer.run(main)

"""The pictures of a model card: details that the model never saw, and how it learned."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.evaluation.comparison import Box, comparison_picture, most_detailed
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.report.bursts import as_file
from srgan_lightning.report.charts import curves
from srgan_lightning.report.page import VALIDATION
from srgan_lightning.report.read import read_folders

SIDE = 112  # pixels of HR
BEST = 3  # pictures whose finest detail is shown

Panels = Mapping[str, NDArray[np.uint8]]


def strip(folder: Path, name: str) -> NDArray[np.uint8]:
    """Draw from the folder of a `srgan evaluate`, whose methods become columns.

    The last row is the detail, of all pictures, in which the model gains least, or loses most,
    over the first other method, which is an interpolation.

    Args:
        folder: it holds pictures/METHOD/PICTURE.png.
        name: of the method whose worst is looked for.
    """
    columns = {path.name: path for path in sorted((folder / "pictures").iterdir())}
    order = ["LR", *(c for c in columns if c not in ("LR", "HR", name)), name, "HR"]
    rows: list[tuple[str, Panels, Box]] = []
    for picture in list_images(columns["HR"]):
        panels = {column: read_rgb(columns[column] / picture.name) for column in order}
        rows.append((picture.stem, panels, most_detailed(panels["HR"], side=SIDE)))
    least = [(*_least_gain(panels, order[1], name), title, panels) for title, panels, _ in rows]
    _, box, title, panels = min(least, key=lambda each: each[0])
    chosen = [*rows[:BEST], (f"worst: {title}", panels, box)]
    titles, pictures, boxes = zip(*chosen, strict=True)
    return comparison_picture(pictures, titles=titles, boxes=boxes, zoom=2)


def curve(folders: Sequence[Path]) -> str:
    """Draw the validation's PSNR over the steps of runs of which each began where one ended.

    Returns:
        An SVG document.
    """
    points: list[tuple[float, float]] = []
    rounds = []
    begun = 0
    for number, folder in enumerate(read_folders(folders), start=1):
        assert folder.run is not None, f"{folders[number - 1]}: is no run"
        rounds.append((f"round {number}", begun))
        points += [(begun + step, value) for step, value in folder.run.curves[VALIDATION]]
        begun += folder.run.steps
    drawn = curves(
        {"model": (0, points)},
        y_title="validation PSNR [dB]",
        stages=rounds if len(rounds) > 1 else [],
        total=begun,
    )
    return as_file(drawn)


def _least_gain(panels: Panels, other: str, name: str) -> tuple[float, Box]:
    """Return the least gain in PSNR over another method, and the square where it is."""
    hr = panels["HR"].astype(float)
    errors = [(panels[method] - hr) ** 2 for method in (name, other)]
    step = SIDE // 2
    found = []
    for top in range(0, hr.shape[0] - SIDE + 1, step):
        for left in range(0, hr.shape[1] - SIDE + 1, step):
            square = np.s_[top : top + SIDE, left : left + SIDE]
            mine, others = (max(float(error[square].mean()), 1.0) for error in errors)
            found.append((10 * np.log10(others / mine), Box(top, left, SIDE)))
    return min(found, key=lambda each: each[0])

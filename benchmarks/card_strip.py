"""What a model makes of pictures it never saw, for its card: the finest details, and the worst."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srgan_lightning.evaluation.comparison import Box, comparison_picture, most_detailed
from srgan_lightning.imaging.read import list_images, read_rgb

SIDE = 112  # pixels of HR
BEST = 3  # pictures whose finest detail is shown

Panels = Mapping[str, NDArray[np.uint8]]


def strip(folder: Path, name: str) -> NDArray[np.uint8]:
    """Draw from the folder of a `srgan evaluate`, whose methods become columns.

    The last row is the detail, of all pictures, in which the model errs most against HR.

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
    worst = max(rows, key=lambda row: _worst(row[1], name)[0])
    title, panels, _ = worst
    chosen = [*rows[:BEST], (f"worst: {title}", panels, _worst(panels, name)[1])]
    titles, pictures, boxes = zip(*chosen, strict=True)
    return comparison_picture(pictures, titles=titles, boxes=boxes, zoom=2)


def save(drawn: NDArray[np.uint8], path: Path) -> None:
    """Write a JPEG."""
    Image.fromarray(drawn).save(path, quality=85, optimize=True)


def _worst(panels: Panels, name: str) -> tuple[float, Box]:
    """Return the square of the largest mean squared error, and that error."""
    error = (panels[name].astype(float) - panels["HR"]) ** 2
    step = SIDE // 2
    found = []
    for top in range(0, error.shape[0] - SIDE + 1, step):
        for left in range(0, error.shape[1] - SIDE + 1, step):
            square = error[top : top + SIDE, left : left + SIDE]
            found.append((float(square.mean()), Box(top, left, SIDE)))
    return max(found, key=lambda each: each[0])

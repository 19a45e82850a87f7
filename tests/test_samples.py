import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.samples import Split, sample_folder

PICTURES = sorted([*sample_folder("train").iterdir(), *sample_folder("heldout").iterdir()])
CREDITS = (sample_folder("train").parent / "CREDITS.md").read_text(encoding="utf-8")


def credited(split: Split) -> dict[str, list[str]]:
    """Rows of one split's table: file name -> its other cells."""
    section = CREDITS.split(f"## {split}\n")[1].split("\n## ")[0]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines()]
    return {row[0]: row[1:] for row in rows if row[0].endswith(".jpg")}


def test_there_are_enough_and_not_too_many():
    assert 16 <= len(PICTURES) <= 24
    assert 5 <= len(list(sample_folder("heldout").iterdir())) <= 6
    assert sum(path.stat().st_size for path in PICTURES) <= 8e6


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_every_picture_has_its_credit_and_a_licence_that_ships(split: Split):
    credits = credited(split)
    assert credits.keys() == {path.name for path in sample_folder(split).iterdir()}
    for cells in credits.values():
        _, author, licence, source, factor = cells
        assert author
        assert source
        assert licence in {"CC0 1.0", "CC BY 4.0", "public domain"}
        assert float(factor) >= 2


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_plain_rgb_with_whole_low_resolution_pixels(path: Path):
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert image.width % 4 == 0
        assert image.height % 4 == 0
        assert min(image.size) >= 320
        assert "exif" not in image.info
        assert "icc_profile" not in image.info


def test_no_heldout_picture_is_a_training_picture():
    def thumbnail(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            small = np.asarray(image.convert("L").resize((16, 16)), dtype=float)
        return (small - small.mean()) / small.std()

    train = [thumbnail(path) for path in sample_folder("train").iterdir()]
    for path in sample_folder("heldout").iterdir():
        assert max((thumbnail(path) * other).mean() for other in train) < 0.9

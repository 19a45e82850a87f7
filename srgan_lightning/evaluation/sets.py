"""The benchmark sets by name, and the proof that a folder is what it is called."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from srgan_lightning.data.catalog import find_dataset
from srgan_lightning.degradations.bicubic import Bicubic
from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.pairs import DegradedPairs
from srgan_lightning.metrics.functional import WINDOW, psnr_of_levels, similarity
from srgan_lightning.metrics.preparation import Space, prepare

SetName = Literal["set5", "set14", "bsd100", "urban100"]
SCALE = 4


@dataclass(frozen=True, kw_only=True)
class BenchmarkSet:
    """What is known of a set.

    Attributes:
        title: as papers write it.
        pictures: how many it has.
        bicubic: PSNR in dB and SSIM of MATLAB's bicubic, x4 down and up again, to four digits, by
            colour space; empty where nobody has calibrated them.
    """

    title: str
    pictures: int
    bicubic: Mapping[Space, tuple[float, float]] = field(default_factory=dict)


SETS: Mapping[SetName, BenchmarkSet] = {
    "set5": BenchmarkSet(
        title="Set5", pictures=5, bicubic={"y": (28.4305, 0.8113), "rgb": (26.6947, 0.7734)}
    ),
    "set14": BenchmarkSet(
        title="Set14", pictures=14, bicubic={"y": (26.0899, 0.7049), "rgb": (24.4636, 0.6639)}
    ),
    "bsd100": BenchmarkSet(title="BSD100", pictures=100),
    "urban100": BenchmarkSet(title="Urban100", pictures=100),
}


def find_set(name: SetName, *, root: Path, hr: Path | None) -> Path:
    """Return the folder of a set: the one given, or where `srgan prepare` unpacks it below root.

    Raises:
        UserError: where it is not there.
    """
    folder = hr or root / find_dataset(name).hr[0].folder
    if not folder.is_dir():
        raise UserError(
            f"data.set={name}: {folder} is no folder; `srgan prepare {name} --root {root}` "
            "brings the set, or name yours with data.hr=FOLDER"
        )
    return folder


@functools.cache
def verify_set(name: SetName, folder: Path, *, space: Space) -> str:
    """Prove that a folder is the set of that name, and that figures come out as they must.

    Args:
        name: of the set.
        folder: its HR pictures.
        space: the colour space to compare in.

    Returns:
        Words for the protocol's stamp.

    Raises:
        UserError: for another number of pictures, or figures of bicubic that are not the set's.
    """
    known = SETS[name]
    pairs = DegradedPairs(folder, degradation=Bicubic(scale=SCALE))
    refusal = f"{folder} is not {known.title}"
    advice = "leave data.set out to measure it as a folder"
    if len(pairs) != known.pictures:
        count = f"it holds {len(pairs)} pictures and not {known.pictures}"
        raise UserError(f"data.set={name}: {refusal}: {count}; {advice}")
    if not known.bicubic:
        return f"{known.title} (unverified but for its {known.pictures} pictures)"
    figures = []
    for pair in pairs:
        sr = imresize(pair.lr, scale=SCALE)
        levels = prepare(sr, pair.hr, crop=SCALE, space=space, smallest=WINDOW)
        figures.append((psnr_of_levels(*levels).item(), similarity(*levels)[0].mean().item()))
    found = [math.fsum(column) / len(pairs) for column in zip(*figures, strict=True)]
    expected = known.bicubic[space]
    if [f"{value:.4f}" for value in found] != [f"{value:.4f}" for value in expected]:
        raise UserError(
            f"data.set={name}: {refusal}: bicubic has {found[0]:.4f} dB and {found[1]:.4f} on it, "
            f"and on {known.title} {expected[0]:.4f} and {expected[1]:.4f}; {advice}"
        )
    return f"{known.title} (verified: bicubic has {expected[0]:.4f} dB, {expected[1]:.4f})"

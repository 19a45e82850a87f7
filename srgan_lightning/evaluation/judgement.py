"""Metrics judged by human scores: how well do they rank pictures as people do?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.imaging.threads import ordered_map
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.metrics.functional import psnr, ssim
from srgan_lightning.metrics.multiscale import ms_ssim
from srgan_lightning.metrics.perceptual import BACKBONES, LearnedDistance

Metric = Callable[[Tensor, Tensor], float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A distorted picture, its reference and what people gave it (more is better)."""

    distorted: Path
    reference: Path
    score: float


def read_scores(folder: Path) -> list[Judged]:
    """Read a folder in TID2013's or PIPAL's layout.

    TID2013 has `mos_with_names.txt` with lines "5.51429 I01_01_1.bmp"; PIPAL has a folder of
    labels, a text file for each reference, with lines "A0001_00_00.bmp,1448.96". In both a
    distorted picture is named after its reference, up to the first "_". Pictures may lie in any
    folders below; upper and lower case are the same, as TID2013 mixes them.

    Raises:
        UserError: for a folder of another layout, a line that cannot be read, a missing picture.
    """
    pictures = {path.name.lower(): path for path in list_images(folder)}
    references = {path.stem.lower(): path for path in pictures.values() if "_" not in path.stem}
    judged = []
    for file, line in _lines(folder):
        name, score = _parse(line, file)
        distorted = pictures.get(name.lower())
        reference = references.get(name.lower().partition("_")[0])
        if distorted is None or reference is None:
            lacking = name if distorted is None else f"the reference of {name}"
            raise UserError(f"{file}: {lacking} is not below {folder}")
        judged.append(Judged(distorted, reference, score))
    return judged


def find_metrics() -> tuple[dict[str, Metric], list[str]]:
    """Return the metrics, each oriented so that more is better, and a line for each left out."""
    metrics: dict[str, Metric] = {
        "psnr": lambda sr, hr: psnr(sr, hr, crop=0).item(),
        "ssim": lambda sr, hr: ssim(sr, hr, crop=0).item(),
        "ms_ssim": lambda sr, hr: ms_ssim(sr, hr, crop=0).item(),
    }
    notes = []
    for name in BACKBONES:
        try:
            metrics[name] = _negative(LearnedDistance(name=name))
        except UserError as reason:
            notes.append(str(reason))
    return metrics, notes


def measure_judged(
    judged: Sequence[Judged], metrics: Mapping[str, Metric]
) -> Iterator[dict[str, float]]:
    """Measure distorted pictures, several at a time, in their order.

    Yields:
        Each picture's figures by metric.

    Raises:
        UserError: for a picture that cannot be read or measured, by name.
    """

    def figures(one: Judged) -> dict[str, float]:
        sr, hr = to_tensor(read_rgb(one.distorted)), to_tensor(read_rgb(one.reference))
        try:
            return {name: metric(sr, hr) for name, metric in metrics.items()}
        except UserError as error:
            raise UserError(f"{one.distorted}: {error}") from None

    for result in ordered_map(figures, judged):
        if isinstance(result, UserError):
            raise result
        yield result


def srcc(one: Sequence[float] | Floats, other: Sequence[float] | Floats) -> float:
    """Spearman's rank correlation: the linear correlation of ranks, ties at their mean rank.

    >>> srcc([1.0, 2.0, 3.0], [1.0, 10.0, 100.0])
    1.0
    """
    return _correlation(_ranks(np.asarray(one)), _ranks(np.asarray(other)))


def plcc(figures: Sequence[float] | Floats, scores: Sequence[float] | Floats) -> float:
    """Pearson's linear correlation of scores with figures after a logistic fit.

    As the VQEG has it (final report of phase I, 2000), the four-parameter logistic
    q(x) = b₂ + (b₁ − b₂) / (1 + exp(−(x − b₃) / |b₄|)) is fitted to the scores by least squares.

    >>> round(plcc([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.1, 0.5, 0.9, 1.0]), 2)
    1.0
    """
    x, y = (_standard(np.asarray(values)) for values in (figures, scores))
    return _correlation(_logistic_fit(x, y), y)


def _lines(folder: Path) -> Iterator[tuple[Path, str]]:
    files = [folder / "mos_with_names.txt"]
    if not files[0].is_file():
        files = sorted(p for p in folder.glob("*/*.txt") if "label" in p.parent.name.lower())
    if not files:
        raise UserError(
            f"{folder}: is neither TID2013 (mos_with_names.txt) nor PIPAL (Train_Label/*.txt)"
        )
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield file, line


def _parse(line: str, file: Path) -> tuple[str, float]:
    parts = line.replace(",", " ").split()
    try:
        score, name = parts if file.name == "mos_with_names.txt" else reversed(parts)
        return name, float(score)
    except ValueError:
        raise UserError(
            f"{file}: cannot read {line.strip()!r} as a picture and its score"
        ) from None


def _negative(distance: LearnedDistance) -> Metric:
    return lambda sr, hr: -distance(sr, hr, crop=0).item()


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / norm if norm else float("nan")


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / (values.std() or 1.0), np.float64)


def _logistic_fit(x: Floats, y: Floats) -> Floats:
    """Fit the logistic to standardised figures and scores; return its values at the figures."""
    ends = [y.max(), y.min()] if x @ y >= 0 else [y.min(), y.max()]
    b = torch.tensor([*ends, 0.0, 1.0], dtype=torch.float64, requires_grad=True)
    given, wanted = torch.from_numpy(x), torch.from_numpy(y)

    def logistic() -> Tensor:
        return b[1] + (b[0] - b[1]) * torch.sigmoid((given - b[2]) / (b[3].abs() + 1e-9))

    optimizer = torch.optim.LBFGS(
        [b],
        max_iter=1000,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = (logistic() - wanted).square().mean()
        error.backward()
        return error

    optimizer.step(loss)
    return logistic().detach().numpy()

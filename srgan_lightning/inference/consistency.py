"""SR made to fit LR: what the degradation makes of it shall be the picture that was given."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.degradations.base import Degradation
from srgan_lightning.networks.enlarge import enlarge

ITERATIONS = 10
REACH = 6  # LR rows that one iteration reaches: the blur and its reduction, then the enlargement
KNOWN = ("bicubic", "blur_bicubic")


class Consistency:
    """Iterative back-projection (Irani & Peleg 1991): SR ← SR + U(LR − D(SR)), ten times.

    D is the degradation, unrounded, U MATLAB's bicubic enlargement. Works on strips, each with the
    rows around it that ten iterations reach, in float32 on the CPU.

    Args:
        degradation: what the model was trained for, as `Degradation.describe` puts it. What is not
            known, or draws at random, is taken to be `bicubic`, with a warning.
        scale: the factor between LR and SR.
        model: what warnings call the model.

    Attributes:
        words: which degradation it is, for metadata.
    """

    def __init__(self, degradation: str, *, scale: int, model: str) -> None:
        found = _find(degradation, scale=scale)
        if found is None:
            told = degradation or "an unknown degradation"
            warnings.warn(f"{model}: was trained for {told}; SR is fitted to bicubic", stacklevel=3)
            found = DEGRADATIONS.build("bicubic", {"quantize": False}, scale=scale)
        self._reduce, self._scale = found, scale
        self.words = self._reduce.describe()

    def strips(
        self, strips: Iterable[NDArray[np.float32]], lr: NDArray[np.float32]
    ) -> Iterator[NDArray[np.float32]]:
        """Correct SR as it comes.

        Args:
            strips: `[rows, scale·W, 3]`, from top to bottom; their rows are multiples of the scale.
            lr: `[H, W, 3]` in [0, 1].
        """
        margin, height = ITERATIONS * REACH, len(lr)
        rows: NDArray[Any] = np.empty((0, lr.shape[1] * self._scale, 3), np.float32)
        first = made = known = 0  # in LR rows: of the rows at hand, corrected, come
        for strip in strips:
            rows = np.concatenate([rows, strip])
            known += len(strip) // self._scale
            ready = height if known == height else known - margin
            if ready <= made:
                continue
            corrected = self._corrected(rows, lr[first:known])
            yield corrected[(made - first) * self._scale : (ready - first) * self._scale]
            made = ready
            needless = max(made - margin, 0) - first
            rows, first = rows[needless * self._scale :].copy(), first + needless

    @torch.inference_mode()
    def _corrected(self, rows: NDArray[Any], lr: NDArray[Any]) -> NDArray[np.float32]:
        sr, given = _image(rows), _image(lr)
        # Degradations clamp to [0, 1]; they are linear besides, so any range can be moved there.
        low = float(torch.minimum(sr.min(), given.min()))
        span = float(torch.maximum(sr.max(), given.max())) - low or 1.0
        sr, given = ((image - low + span / 2) / (2 * span) for image in (sr, given))
        for _ in range(ITERATIONS):
            sr = sr + enlarge(given - self._reduce(sr), self._scale)
        corrected: NDArray[np.float32] = sr[0].permute(1, 2, 0).numpy()
        return corrected * (2 * span) + low - span / 2


def _find(described: str, *, scale: int) -> Degradation | None:
    """Return the degradation of known options that describes itself so, but for rounding."""
    for name in KNOWN:
        for quantize in (True, False):
            known = DEGRADATIONS.build(name, {"quantize": quantize}, scale=scale)
            if known.describe() == described:
                return DEGRADATIONS.build(name, {"quantize": False}, scale=scale)
    return None


def _image(rows: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(rows)).permute(2, 0, 1)[None]

"""The proof that ONNX Runtime computes what torch computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.samples import sample_folder

Precision = Literal["float32", "float16", "int8"]

PHOTOGRAPH = "perched-osprey.jpg"  # of the packaged ones held out
SIZES = ((1, 1, 17), (1, 37, 53), (2, 24, 61), (3, 19, 8))  # batch, height, width
LEVEL = 1 / 255


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far ONNX Runtime may be from torch in float32.

    Attributes:
        max_abs: the largest difference of a value in [0, 1].
        decibels: the least PSNR between both.
    """

    max_abs: float = math.inf
    decibels: float = 0.0

    @property
    def words(self) -> str:
        """What is asked for: `at most 4e-03 and at least 70 dB`."""
        apart = [f"at most {self.max_abs:.0e}"] if math.isfinite(self.max_abs) else []
        return " and ".join(apart + [f"at least {self.decibels:.0f} dB"] * (self.decibels > 0))


LIMITS: dict[Precision, Limits] = {
    "float32": Limits(max_abs=1e-4),
    "float16": Limits(decibels=50),
    "int8": Limits(decibels=40),
}
WHOLE = Limits(max_abs=1.001 * LEVEL, decibels=70)  # of float32: ties that round the other way


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What was found at one size.

    Attributes:
        batch: pictures at once.
        height: of LR, in pixels.
        width: of LR, in pixels.
        max_abs: the largest difference, of values in [0, 1].
        decibels: PSNR between both; infinite where they are equal.
    """

    batch: int
    height: int
    width: int
    max_abs: float
    decibels: float

    @property
    def cells(self) -> tuple[str, str, str]:
        """Size, largest difference and PSNR as words, with the digits that last."""
        size = f"{self.batch} x {self.height} x {self.width}"
        decibels = "equal" if math.isinf(self.decibels) else f"{self.decibels:.0f} dB"
        return size, f"{self.max_abs:.0e}", decibels


def limits_of(precision: Precision, *, whole: bool) -> Limits:
    """Return what a file of this kind is held to."""
    return WHOLE if whole and precision == "float32" else LIMITS[precision]


def check_parity(network: nn.Module, model: bytes, *, limits: Limits) -> list[Parity]:
    """Compare an ONNX file with the network that it comes from, on cut-outs of a photograph.

    Their sizes are odd, not square, in several batches, and none that the exporter has seen.

    Args:
        network: computes in float32; takes what the file takes, but in float32 where that takes
            float16.
        model: the bytes of the file.
        limits: what both may differ by.

    Raises:
        UserError: where they differ by more, or in shape, or ONNX Runtime fails.
    """
    session = open_session(model)
    given = session.get_inputs()[0]
    found = []
    for size in SIZES:
        pictures = _cut_outs(*size)
        lr = pictures
        if given.type != "tensor(uint8)":
            lr = (pictures.transpose(0, 3, 1, 2) / np.float32(255)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(np.ascontiguousarray(lr))).numpy()
        if given.type == "tensor(float16)":
            lr = lr.astype(np.float16)
        try:
            (sr,) = session.run(None, {given.name: lr})
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's have no base of their own
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"export: ONNX Runtime fails at {size}: {reason}") from None
        found.append(_compare(size, expected, sr, limits))
    return found


def open_session(model: bytes) -> Any:
    """Return an ONNX Runtime session on the CPU, silent."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(model, sess_options=options, providers=providers)


def _compare(
    size: Sequence[int], expected: NDArray[Any], sr: NDArray[Any], limits: Limits
) -> Parity:
    batch, height, width = size
    where = f"{batch} pictures of {width}x{height}"
    if sr.shape != expected.shape:
        raise UserError(
            f"export: refused, for of {where} ONNX Runtime makes {list(sr.shape)} "
            f"and torch {list(expected.shape)}"
        )
    unit = LEVEL if sr.dtype == np.uint8 else 1.0
    difference = unit * np.abs(sr.astype(np.float64) - expected.astype(np.float64))
    error = float(np.square(difference).mean())
    decibels = -10 * math.log10(error) if error else math.inf
    found = Parity(
        batch=batch,
        height=height,
        width=width,
        max_abs=float(difference.max()),
        decibels=decibels,
    )
    if not (found.max_abs <= limits.max_abs and found.decibels >= limits.decibels):
        _, apart, psnr = found.cells
        raise UserError(
            f"export: refused, for ONNX Runtime and torch differ by {apart} ({psnr}) on {where}; "
            f"asked for: {limits.words}"
        )
    return found


def _cut_outs(batch: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return uint8 `[B, H, W, 3]` from the middle of the photograph, each a bit lower."""
    photograph = read_rgb(sample_folder("heldout") / PHOTOGRAPH)
    top, left = photograph.shape[0] // 3, photograph.shape[1] // 3
    rows = [top + number * 16 for number in range(batch)]
    cut = [photograph[row : row + height, left : left + width] for row in rows]
    return np.stack(cut)

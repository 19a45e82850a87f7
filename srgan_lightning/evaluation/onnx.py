"""ONNX files as models."""

import typing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.pairs import BenchmarkPair

PROBE = 16  # pixels: the side of the picture that tells the scale, where any size will do
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxModel:
    """A network in an ONNX file, run by ONNX Runtime on the CPU.

    Args:
        path: one input `[B, 3, H, W]`, RGB in [0, 1], float32 or float16, and one output like it.

    Attributes:
        scale: the factor between LR and SR, found by enlarging a small picture.

    Raises:
        UserError: for a file that is missing, no ONNX or no such network, and where ONNX Runtime
            is not installed; when called, for a picture of a size that the file does not take.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._session = _open(path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        kinds = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
        if [each.type for each in inputs] == ["tensor(uint8)"]:
            raise UserError(
                f"{path}: takes 8-bit pictures, and LR is measured unrounded; export it without "
                "--whole"
            )
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type not in DTYPES:
            raise UserError(f"{path}: must take one picture as floats, and takes {kinds}")
        self._input, self._dtype = inputs[0].name, DTYPES[inputs[0].type]
        shape = inputs[0].shape
        if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
            raise UserError(f"{path}: must take pictures [B, 3, H, W], and takes {kinds}")
        fixed = [side if isinstance(side, int) else PROBE for side in shape[2:]]
        sr = self._run(np.zeros((1, 3, *fixed), np.float32))
        self.scale = sr.shape[-1] // fixed[1]
        if sr.shape != (1, 3, fixed[0] * self.scale, fixed[1] * self.scale) or not self.scale:
            raise UserError(
                f"{path}: does not enlarge: of {fixed[1]}x{fixed[0]} pixels it makes "
                f"{list(sr.shape)}"
            )

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Enlarge LR; see `Model`."""
        return torch.from_numpy(self._run(pair.lr.cpu().numpy()))

    def _run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (sr,) = self._session.run(None, {self._input: lr.astype(self._dtype)})
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's have no base of their own
            size = f"{lr.shape[-1]}x{lr.shape[-2]}"
            raise UserError(f"{self._path}: fails on a picture of {size}: {_line(error)}") from None
        return typing.cast(NDArray[np.float32], sr.astype(np.float32))


def _open(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            f"{path}: needs ONNX Runtime; pip install 'srgan-lightning[onnx]' brings it"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - as above
        raise UserError(f"{path}: is no ONNX file that can be run ({_line(error)})") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

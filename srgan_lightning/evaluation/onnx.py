"""ONNX files as models."""

from pathlib import Path

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.inference.onnx_network import OnnxNetwork


class OnnxModel:
    """A network in an ONNX file, run by ONNX Runtime on the CPU.

    Args:
        path: see `OnnxNetwork`; of floats.

    Attributes:
        scale: the factor between LR and SR.

    Raises:
        UserError: as `OnnxNetwork` does, and for a file of 8-bit pictures.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._network = OnnxNetwork(path)
        if self._network.eight_bits:
            raise UserError(
                f"{path}: takes 8-bit pictures, and LR is measured unrounded; export it without "
                "--whole"
            )
        self.scale = self._network.scale

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Enlarge LR; see `Model`."""
        sr = self._network(pair.lr[0].permute(1, 2, 0).cpu().numpy())
        return torch.from_numpy(sr.copy()).permute(2, 0, 1)[None]

"""Pictures enlarged by an ONNX file; nothing here imports torch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.inference.onnx_network import OnnxNetwork
from srgan_lightning.inference.provenance import named
from srgan_lightning.inference.resample import Strip
from srgan_lightning.inference.samples import quantised, unit
from srgan_lightning.inference.upscaler import Tile, Tiling, Upscaler

AFFORDABLE = 2**17  # LR pixels: some 12 kB each, 64 channels at SR's size a few times


class OnnxUpscaler(Upscaler):
    """A network in an ONNX file.

    Tiles are exact where the file's metadata tell the halo, as `srgan export` writes it.

    Args:
        path: see `OnnxNetwork`.
        model: what it is called in metadata; None takes the file's name and hash.
        device: see `OnnxNetwork`.
        tile: see `Upscaler`.
        tiling: see `Upscaler`.
        ensemble: see `Upscaler`.

    Raises:
        UserError: as `OnnxNetwork` does, and for a file that takes one size only.
    """

    def __init__(
        self,
        path: Path,
        *,
        model: str | None = None,
        device: str = "auto",
        tile: Tile = "auto",
        tiling: Tiling = "exact",
        ensemble: bool = False,
    ) -> None:
        self._network = OnnxNetwork(path.expanduser(), device=device)
        height, width = self._network.size
        if height is not None or width is not None:
            raise UserError(f"{path}: takes pictures of {width}x{height} only, not of any size")
        super().__init__(
            model=model or named(path),
            scale=self._network.scale,
            halo=self._network.halo,
            tile=tile,
            tiling=tiling,
            ensemble=ensemble,
            degradation=self._network.degradation,
        )
        self.device = self._network.provider

    def precision_for(self, depth: int) -> str:
        """Return what the file computes in.

        Raises:
            UserError: for samples of more bits than the file takes.
        """
        if depth > 8 and (self._network.eight_bits or self._network.precision != "float32"):
            raise UserError(
                f"{self._network.path}: serves 8 bits a sample only, and these are {depth}; "
                "export a float32 file without --whole"
            )
        return str(self._network.precision)

    def _run(self, lr: NDArray[Any], precision: str) -> Strip:
        if not self._network.eight_bits:
            return self._network(unit(lr))
        levels = lr if lr.dtype == np.uint8 else quantised(lr.copy(), np.uint8)
        return unit(self._network(levels))

    def _affordable(self) -> int:
        return AFFORDABLE

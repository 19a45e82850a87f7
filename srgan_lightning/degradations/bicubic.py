"""The literature's degradation: MATLAB's antialiased bicubic."""

import dataclasses

import torch
from torch import Tensor

from srgan_lightning.degradations.base import DEGRADATIONS, Degradation
from srgan_lightning.degradations.resize import imresize


@DEGRADATIONS.register("bicubic")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Bicubic(Degradation):
    """Bicubic as MATLAB's `imresize` reduces (a = −0.5, antialias), without a further blur.

    With `quantize`, LR equals the published LR files of the benchmark sets in every pixel.

    Args:
        scale: the factor between HR and LR.
        quantize: round to 8 bits after each axis, as MATLAB does for uint8 pictures.
    """

    quantize: bool = True

    def reduce(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Reduce; nothing is drawn."""
        height, width = (side // self.scale for side in hr.shape[-2:])
        return imresize(hr, size=(height, width), quantize_axes=self.quantize).clamp(0, 1)

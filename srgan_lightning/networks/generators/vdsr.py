"""VDSR, a deep network that learns what bicubic lacks."""

from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.enlarge import enlarge, enlarged_halo
from srgan_lightning.networks.layers import check_sizes, conv


@GENERATORS.register("vdsr")
class VDSR(Generator):
    """VDSR (Kim et al. 2016, "Accurate Image Super-Resolution Using Very Deep …", fig. 2).

    20 convolutions 3×3 of 64 channels with ReLU between them see the bicubic enlargement
    (a = −0.5), and what they answer is added to it. The weights start as He et al. 2015 do. The
    paper enlarges the Y channel; here all three of RGB go in and come out.

    Args:
        scale: the factor between the sides of LR and SR.
        layers: how many convolutions, the first and the last among them.
        width: channels between them.

    Raises:
        UserError: for fewer than two layers or a number below 1.

    Example:
        >>> import torch
        >>> VDSR(layers=3, width=8)(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(self, *, scale: int = 4, layers: int = 20, width: int = 64) -> None:
        super().__init__()
        check_sizes({"scale": scale, "width": width})
        if layers < 2:
            raise UserError(f"generator.layers: must be 2 or more (got {layers})")
        self.scale = scale
        self.radius = layers
        inner = [module for _ in range(layers - 2) for module in (conv(width, width), nn.ReLU())]
        self.residual = nn.Sequential(conv(3, width), nn.ReLU(), *inner, conv(width, 3))
        for layer in self.residual:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    @property
    @override
    def halo(self) -> int:
        return enlarged_halo(self.radius, self.scale)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        bicubic = enlarge(lr, self.scale)
        sr: Tensor = bicubic + self.residual(bicubic)
        return sr.to(lr.dtype)

"""SRCNN, the first convolutional network for super-resolution."""

from typing import Literal

from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.enlarge import enlarge, enlarged_halo
from srgan_lightning.networks.layers import check_sizes


@GENERATORS.register("srcnn")
class SRCNN(Generator):
    """SRCNN (Dong et al. 2014, 2016, "Image Super-Resolution Using Deep Convolutional Networks").

    Three convolutions on the bicubic enlargement (a = −0.5): 9×9 to 64 channels and ReLU (patches),
    1×1 to 32 channels and ReLU (their non-linear mapping), 5×5 to the picture (reconstruction).
    "9-1-5" is the paper of 2014; the figures of 2016 are those of "9-5-5".

    The paper enlarges the Y channel; here all three of RGB go in and come out (section 4.5 of 2016
    has that too). Borders repeat the edge pixel, as the authors' test program does. The paper
    starts all weights from N(0, 0.001), through which next to no gradient passes; here they start
    as He et al. 2015 do.

    Args:
        scale: the factor between the sides of LR and SR.
        middle_kernel: side of the second kernel: 1, 3 or 5.
        features: channels after the first convolution, n1.
        mapped: channels after the second, n2.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> import torch
        >>> SRCNN()(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        middle_kernel: Literal[1, 3, 5] = 1,
        features: int = 64,
        mapped: int = 32,
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "features": features, "mapped": mapped})
        self.scale = scale
        self.middle_kernel = middle_kernel
        self.layers = nn.Sequential(
            _conv(3, features, 9),
            nn.ReLU(),
            _conv(features, mapped, middle_kernel),
            nn.ReLU(),
            _conv(mapped, 3, 5),
        )

    @property
    @override
    def halo(self) -> int:
        return enlarged_halo(9 // 2 + self.middle_kernel // 2 + 5 // 2, self.scale)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.layers(enlarge(lr, self.scale))
        return sr.to(lr.dtype)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode="replicate")
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer

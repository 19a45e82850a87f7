"""ESPCN, the network that brought sub-pixel convolution."""

from typing import Literal

from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.layers import check_sizes, conv


@GENERATORS.register("espcn")
class ESPCN(Generator):
    """ESPCN (Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution …", section 3.1).

    Convolutions on LR, 5×5 to 64 channels, 3×3 to 32 and 3×3 to 3·scale², with tanh between them;
    a pixel shuffle makes SR of the last one's channels. The paper enlarges the Y channel; here all
    three of RGB go in and come out. The weights start as PyTorch's do.

    Args:
        scale: the factor between the sides of LR and SR.
        activation: `tanh`, the paper's choice, or `relu`, with which it compares (table 1).

    Raises:
        UserError: for a scale below 1.

    Example:
        >>> import torch
        >>> ESPCN()(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(self, *, scale: int = 4, activation: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__()
        check_sizes({"scale": scale})
        self.scale = scale
        between = nn.Tanh if activation == "tanh" else nn.ReLU
        self.layers = nn.Sequential(
            conv(3, 64, 5),
            between(),
            conv(64, 32),
            between(),
            conv(32, 3 * scale**2),
            nn.PixelShuffle(scale),
        )

    @property
    @override
    def halo(self) -> int:
        return 5 // 2 + 1 + 1

    @override
    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.layers(lr)
        return sr.to(lr.dtype)

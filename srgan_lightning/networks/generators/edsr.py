"""EDSR, SRResNet without BatchNorm."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.layers import check_sizes, conv, shuffle_halo, shuffle_steps

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)  # RGB of the training set, in the authors' program


@GENERATORS.register("edsr")
class EDSR(Generator):
    """EDSR (Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image …", fig. 3).

    The defaults are the paper's baseline: 3×3 convolutions; 16 residual blocks of 64 channels
    (convolution, ReLU, convolution) and a long skip around them; a sub-pixel convolution for each
    prime factor of the scale. `blocks=32 width=256 residual_scale=0.1` is the paper's large EDSR.

    DIV2K's mean colour is taken away first and added at the end, as in the authors' program. That
    computes on 0 … 255 and this network on 0 … 1: the network being homogeneous but for its
    biases, weights from there serve here when their biases are divided by 255.

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: how many residual blocks, B.
        width: channels of the trunk, F.
        residual_scale: what a block's branch is multiplied with before it is added.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> import torch
        >>> EDSR(blocks=1, width=8)(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    mean: Tensor

    def __init__(
        self, *, scale: int = 4, blocks: int = 16, width: int = 64, residual_scale: float = 1.0
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        self.register_buffer("mean", torch.tensor(DIV2K_MEAN).view(3, 1, 1), persistent=False)
        self.head = conv(3, width)
        self.body = nn.Sequential(
            *(ResidualBlock(width, residual_scale) for _ in range(blocks)), conv(width, width)
        )
        self.tail = nn.Sequential(shuffle_steps(width, scale), conv(width, 3))

    @property
    @override
    def halo(self) -> int:
        return 1 + 2 * self.blocks + 1 + shuffle_halo(1, self.scale)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        features = self.head(lr - self.mean)
        features = features + self.body(features)
        sr: Tensor = self.tail(features) + self.mean
        return sr.to(lr.dtype)


class ResidualBlock(nn.Module):
    """x + s · C(ReLU(C(x))) with 3×3 convolutions C and the residual scale s."""

    def __init__(self, width: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.branch = nn.Sequential(conv(width, width), nn.ReLU(), conv(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        correction: Tensor = self.branch(features)
        return features + self.residual_scale * correction

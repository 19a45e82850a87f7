"""The generator of the Keras SRGAN that a thesis trained."""

from typing import Literal

from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.keras import keras_norm, start_as_keras
from srgan_lightning.networks.layers import check_sizes, conv, prime_factors, shuffle_halo


@GENERATORS.register("keras_srgan")
class KerasSRGAN(Generator):
    """The Keras SRGAN's generator, after Ledig et al. 2017, fig. 4, layer for layer.

    Where it departs from the paper's: a PReLU has one slope for each channel (shared over space,
    zero at first); every convolution has a bias, in front of a BatchNorm too; an up-sampling step
    is a 3×3 convolution to 4·width channels, LeakyReLU(0.2) and nearest neighbour, without a pixel
    shuffle, so that the 9×9 convolution at the end reads 4·width channels; a tanh ends it, and its
    [−1, 1] is mapped to [0, 1]. (Keras enlarges before the activation. Both work on each value
    alone, so the order does not matter but to the clock.)

    Keras counts 2,043,779 parameters, 4,224 of them BatchNorm's moving means and variances, which
    are buffers here: 2,039,555 parameters are left. BatchNorm's eps is Keras's 1e-3, and weights
    start as Keras's do (Glorot's uniform).

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: how many residual blocks.
        width: channels of the trunk.
        upsample_activation: `leaky_relu`, or `prelu` as in the tutorial's variant.
        momentum: of the BatchNorms in the blocks, in Keras's sense: 1 minus PyTorch's.
        last_momentum: of the BatchNorm behind the blocks, in the same sense.

    Raises:
        UserError: for a number below 1 or a momentum outside of [0, 1).

    Example:
        >>> import torch
        >>> KerasSRGAN(blocks=1, width=8)(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        blocks: int = 16,
        width: int = 64,
        upsample_activation: Literal["leaky_relu", "prelu"] = "leaky_relu",
        momentum: float = 0.5,
        last_momentum: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "blocks": blocks, "width": width})
        self.scale = scale
        self.blocks = blocks
        self.head = nn.Sequential(conv(3, width, 9), _prelu(width))
        self.body = nn.Sequential(
            *(ResidualBlock(width, momentum) for _ in range(blocks)),
            conv(width, width),
            keras_norm(width, last_momentum),
        )
        steps: list[nn.Module] = []
        channels = width
        for factor in prime_factors(scale):
            leaky = upsample_activation == "leaky_relu"
            steps += [
                conv(channels, 4 * width),
                nn.LeakyReLU(0.2) if leaky else _prelu(4 * width),
                nn.Upsample(scale_factor=factor, mode="nearest"),
            ]
            channels = 4 * width
        self.upsample = nn.Sequential(*steps)
        self.tail = nn.Sequential(conv(channels, 3, 9), nn.Tanh())
        start_as_keras(self)

    @property
    @override
    def halo(self) -> int:
        return 4 + 2 * self.blocks + 1 + shuffle_halo(4, self.scale)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        features = self.head(lr)
        features = features + self.body(features)
        sr: Tensor = (self.tail(self.upsample(features)) + 1) / 2
        return sr.to(lr.dtype)


class ResidualBlock(nn.Module):
    """x + N(C(A(N(C(x))))) with 3×3 convolutions C, BatchNorm N and a PReLU A a channel."""

    def __init__(self, width: int, momentum: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            conv(width, width),
            keras_norm(width, momentum),
            _prelu(width),
            conv(width, width),
            keras_norm(width, momentum),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        correction: Tensor = self.branch(features)
        return features + correction


def _prelu(channels: int) -> nn.PReLU:
    return nn.PReLU(channels, init=0.0)

"""RDN, the residual dense network."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.layers import check_sizes, conv, shuffle_halo, shuffle_steps


@GENERATORS.register("rdn")
class RDN(Generator):
    """RDN (Zhang et al. 2018, "Residual Dense Network for Image Super-Resolution", fig. 2).

    The defaults are the paper's, section 4.3. Two 3×3 convolutions make shallow features F₋₁ and
    F₀; D residual dense blocks follow, and what each of them answers is kept; a 1×1 and a 3×3
    convolution of all the answers (global feature fusion), plus F₋₁, is enlarged by a sub-pixel
    convolution for each prime factor of the scale, and a 3×3 convolution makes RGB of it.

    Args:
        scale: the factor between the sides of LR and SR.
        blocks: how many residual dense blocks, D.
        layers: how many convolutions a block has before its fusion, C.
        growth: channels that each of these adds, G.
        width: channels of the features between blocks, G₀; the enlarged ones have as many.

    Raises:
        UserError: for a number below 1.

    Example:
        >>> import torch
        >>> RDN(blocks=2, layers=2, growth=4, width=8)(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        blocks: int = 16,
        layers: int = 8,
        growth: int = 64,
        width: int = 64,
    ) -> None:
        super().__init__()
        sizes = {"scale": scale, "blocks": blocks, "layers": layers, "growth": growth}
        check_sizes({**sizes, "width": width})
        self.scale = scale
        self.depth = blocks * layers
        self.head = conv(3, width)
        self.shallow = conv(width, width)
        self.blocks = nn.ModuleList(
            ResidualDenseBlock(width, layers, growth) for _ in range(blocks)
        )
        self.fusion = nn.Sequential(conv(blocks * width, width, 1), conv(width, width))
        self.tail = nn.Sequential(shuffle_steps(width, scale), conv(width, 3))

    @property
    @override
    def halo(self) -> int:
        return 2 + self.depth + 1 + shuffle_halo(1, self.scale)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        first = self.head(lr)
        features = self.shallow(first)
        answers = []
        for block in self.blocks:
            features = block(features)
            answers.append(features)
        sr: Tensor = self.tail(self.fusion(torch.cat(answers, 1)) + first)
        return sr.to(lr.dtype)


class ResidualDenseBlock(nn.Module):
    """C 3×3 convolutions with ReLU, each of all before it; a 1×1 fuses them; plus the input."""

    def __init__(self, width: int, layers: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(conv(width + i * growth, growth), nn.ReLU()) for i in range(layers)
        )
        self.fusion = conv(width + layers * growth, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        dense = features
        for layer in self.layers:
            dense = torch.cat([dense, layer(dense)], 1)
        local: Tensor = self.fusion(dense)
        return features + local

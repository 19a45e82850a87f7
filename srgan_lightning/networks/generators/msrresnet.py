"""MSRResNet, BasicSR's SRResNet without BatchNorm."""

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_shuffle, relu
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.initial import start_small
from srgan_lightning.networks.layers import check_sizes, conv, prime_factors, shuffle_halo


@GENERATORS.register("msrresnet")
class MSRResNet(Generator):
    """MSRResNet, "modified SRResNet" (BasicSR; ESRGAN's PSNR baseline, Wang et al. 2018).

    A 3×3 convolution; residual blocks without BatchNorm, as EDSR's; a sub-pixel convolution for
    each factor of the scale; two convolutions to RGB, added to bilinear interpolation. There is
    no skip around the blocks. The weights have BasicSR's names.

    Args:
        scale: the factor between the sides of LR and SR: 2, 3 or 4.
        blocks: how many residual blocks.
        width: channels of the trunk.

    Raises:
        UserError: for another scale, or a number below 1.

    Example:
        >>> sum(weight.numel() for weight in MSRResNet().parameters())
        1517571
    """

    def __init__(self, *, scale: int = 4, blocks: int = 16, width: int = 64) -> None:
        super().__init__()
        check_sizes({"blocks": blocks, "width": width})
        if scale not in (2, 3, 4):
            raise UserError(f"scale: msrresnet enlarges by 2, 3 or 4 (got {scale})")
        self.scale = scale
        self.blocks = blocks
        self.conv_first = conv(3, width)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        for number, factor in enumerate(prime_factors(scale), start=1):
            self.add_module(f"upconv{number}", conv(width, width * factor**2))
        self.conv_hr = conv(width, width)
        self.conv_last = conv(width, 3)
        start_small(self)

    @property
    @override
    def halo(self) -> int:
        return shuffle_halo(2, self.scale) + 2 * self.blocks + 1

    @override
    def forward(self, lr: Tensor) -> Tensor:
        features = self.body(leaky_relu(self.conv_first(lr), 0.1))
        for number, factor in enumerate(prime_factors(self.scale), start=1):
            convolution = self.get_submodule(f"upconv{number}")
            features = leaky_relu(pixel_shuffle(convolution(features), factor), 0.1)
        correction: Tensor = self.conv_last(leaky_relu(self.conv_hr(features), 0.1))
        return correction + interpolate(lr, scale_factor=self.scale, mode="bilinear")


class ResidualBlock(nn.Module):
    """x + C(relu(C(x))) with 3×3 convolutions C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        correction: Tensor = self.conv2(relu(self.conv1(features)))
        return features + correction

"""FSRCNN, SRCNN made fast: everything but the last layer works on LR."""

from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.layers import check_sizes, conv

KERNEL = 9  # side of the deconvolution


@GENERATORS.register("fsrcnn")
class FSRCNN(Generator):
    """FSRCNN (Dong et al. 2016, "Accelerating the Super-Resolution Convolutional Neural Network").

    FSRCNN(d, s, m), section 3.2: a 5×5 convolution to d channels (features), 1×1 to s (shrinking),
    m times 3×3 (mapping), 1×1 to d (expanding), each with a PReLU of one slope a channel, and a
    9×9 deconvolution whose stride is the scale. The paper enlarges the Y channel; here all three
    of RGB go in and come out.

    As in the paper the convolutions start as He et al. 2015 do for PReLU, and the deconvolution
    from N(0, 0.001). Its kernel sits over the middle of an LR pixel's block (for an even scale half
    a pixel before it).

    Args:
        scale: the factor between the sides of LR and SR, at most 9, the deconvolution's side.
        features: channels of the features, d.
        shrunk: channels of the mapping, s.
        mappings: how many convolutions the mapping has, m.

    Raises:
        UserError: for a scale above 9 or a number below 1.

    Example:
        >>> import torch
        >>> FSRCNN()(torch.rand(1, 3, 5, 7)).shape
        torch.Size([1, 3, 20, 28])
    """

    def __init__(
        self, *, scale: int = 4, features: int = 56, shrunk: int = 12, mappings: int = 4
    ) -> None:
        super().__init__()
        check_sizes({"scale": scale, "features": features, "shrunk": shrunk, "mappings": mappings})
        if scale > KERNEL:
            raise UserError(f"generator.scale: fsrcnn goes up to {KERNEL} (got {scale})")
        self.scale = scale
        self.mappings = mappings
        self.layers = nn.Sequential(
            *_conv_prelu(3, features, 5),
            *_conv_prelu(features, shrunk, 1),
            *(layer for _ in range(mappings) for layer in _conv_prelu(shrunk, shrunk, 3)),
            *_conv_prelu(shrunk, features, 1),
        )
        excess = KERNEL - scale  # of the deconvolution's side over what `stride` leaves room for
        self.padding = (excess + 1) // 2
        self.deconvolution = nn.ConvTranspose2d(
            features,
            3,
            KERNEL,
            stride=scale,
            padding=self.padding,
            output_padding=2 * self.padding - excess,
        )
        nn.init.normal_(self.deconvolution.weight, std=0.001)
        nn.init.zeros_(self.deconvolution.bias)  # type: ignore[arg-type]

    @property
    @override
    def halo(self) -> int:
        # LR pixel i writes SR pixels scale·i − padding … scale·i − padding + 8.
        before = (self.scale - 1 + self.padding) // self.scale
        after = (KERNEL - 1 - self.padding) // self.scale
        return 5 // 2 + self.mappings + max(before, after)

    @override
    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.deconvolution(self.layers(lr))
        return sr.to(lr.dtype)


def _conv_prelu(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    convolution, activation = conv(inputs, outputs, kernel), nn.PReLU(outputs)
    nn.init.kaiming_normal_(convolution.weight, a=activation.init)
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return [convolution, activation]

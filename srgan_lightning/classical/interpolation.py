"""Interpolation: each SR pixel is a fixed weighted sum of the LR pixels around it."""

from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from srgan_lightning.degradations.resize import Kernel, imresize
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator


class Interpolation(Generator):
    """Enlargement by a kernel, with MATLAB's weights: see `degradations.resize.imresize`.

    It has no parameters. At all precisions it computes as `imresize` does.

    Args:
        scale: the factor between the sides of LR and SR.

    Attributes:
        kernel: the name of the kernel.
        radius: half the kernel's width in LR pixels, rounded down.

    Raises:
        UserError: for a scale below 1.
    """

    kernel: ClassVar[Kernel]
    radius: ClassVar[int]

    def __init__(self, *, scale: int = 4) -> None:
        super().__init__()
        if scale < 1:
            raise UserError(f"generator.scale: must be 1 or more (got {scale})")
        self.scale = scale

    @property
    @override
    def halo(self) -> int:
        return self.radius

    @override
    def forward(self, lr: Tensor) -> Tensor:
        with torch.autocast(lr.device.type, enabled=False):
            return imresize(lr, scale=self.scale, kernel=self.kernel)


@GENERATORS.register("nearest")
class Nearest(Interpolation):
    """Each LR pixel repeated: the box kernel.

    Example:
        >>> import torch
        >>> Nearest(scale=2)(torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2))[0, 0]
        tensor([[0., 0., 1., 1.],
                [0., 0., 1., 1.]])
    """

    kernel = "box"
    radius = 0


@GENERATORS.register("bilinear")
class Bilinear(Interpolation):
    """The triangle kernel: SR is linear between the centres of neighbouring LR pixels."""

    kernel = "triangle"
    radius = 1


@GENERATORS.register("bicubic")
class Bicubic(Interpolation):
    """Cubic convolution (Keys 1981, a = −0.5), the baseline of the literature's tables."""

    kernel = "cubic"
    radius = 2


@GENERATORS.register("lanczos")
class Lanczos(Interpolation):
    """The windowed sinc of three lobes (Duchon 1979): sinc(x) sinc(x / 3) for |x| < 3."""

    kernel = "lanczos3"
    radius = 3

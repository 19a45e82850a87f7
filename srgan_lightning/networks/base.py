"""What every generator and every discriminator promises."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from srgan_lightning.registry import Registry

TYPICAL_BLUR = 0.5  # pixels, standard deviation: of frames of which nothing is known


class Generator(nn.Module, ABC):
    """A network G that enlarges pictures.

    Attributes:
        scale: the factor between the sides of LR and SR.
    """

    scale: int

    @property
    @abstractmethod
    def halo(self) -> int | None:
        """Radius of the receptive field in LR pixels; None where it is the whole picture.

        An SR pixel that belongs to LR pixel (y, x) depends on no LR pixel farther than this from
        (y, x) along either axis. A tile with such a margin is enlarged as the whole picture is.
        """

    @property
    def grid(self) -> int:
        """Where a tile may begin: at LR pixels whose coordinates are multiples of this."""
        return 1

    @property
    def picture_layers(self) -> tuple[str, ...]:
        """Names of convolutions that carry the picture itself, and cost little besides the others.

        Half precision would round the picture in each of them.
        """
        return ()

    @abstractmethod
    def forward(self, lr: Tensor) -> Tensor:
        """Enlarge a batch.

        Args:
            lr: `[B, 3, H, W]`, RGB in [0, 1].

        Returns:
            SR `[B, 3, scale * H, scale * W]`, nominally in [0, 1] but not clamped, in `lr`'s dtype.
        """


class BurstGenerator(Generator):
    """A network G that makes one picture of many frames; a picture is a burst of one frame.

    Attributes:
        deblurs: whether it undoes the blur that it is told, whatever it is; otherwise it undoes the
            one that it has learned.
    """

    deblurs: ClassVar[bool] = False

    @abstractmethod
    def fuse(self, burst: Tensor) -> Tensor:
        """Fuse a batch.

        Args:
            burst: `[B, N, 6, H, W]`, any number N of frames: RGB in [0, 1]; by how much the
                place in the first frame, the reference, that a pixel shows differs from its own,
                (x, y) in pixels; the standard deviation of the frames' Gaussian blur in pixels.
                The order of the other frames does not matter.

        Returns:
            SR `[B, 3, scale * H, scale * W]` on the reference's grid, as `Generator.forward` does.
        """

    @override
    def forward(self, lr: Tensor) -> Tensor:
        """Fuse bursts `[B, N, 6, H, W]`, or enlarge pictures `[B, 3, H, W]`."""
        if lr.ndim == 4:
            still, blur = torch.zeros_like(lr[:, :2]), torch.full_like(lr[:, :1], TYPICAL_BLUR)
            lr = torch.cat([lr, still, blur], dim=1)[:, None]
        return self.fuse(lr)


class Discriminator(nn.Module, ABC):
    """A network D that tells HR from SR."""

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Judge a batch.

        Args:
            image: `[B, 3, H, W]`, RGB in [0, 1].

        Returns:
            Logits with B as first dimension: positive means "a photograph", log-odds.
        """


GENERATORS = Registry[Generator]("generator")
DISCRIMINATORS = Registry[Discriminator]("discriminator")

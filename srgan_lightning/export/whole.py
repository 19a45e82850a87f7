"""A generator with its pre- and postprocessing: 8-bit pictures in, 8-bit pictures out."""

import torch
from torch import Tensor, nn

from srgan_lightning.networks.base import Generator


class Whole(nn.Module):
    """A generator that takes and makes pictures as files hold them.

    Args:
        generator: computes in between, in the dtype of its parameters.

    Example:
        >>> from srgan_lightning.networks.generators.srresnet import SRResNet
        >>> whole = Whole(SRResNet(blocks=1, width=8, norm="none"))
        >>> sr = whole(torch.zeros(1, 5, 7, 3, dtype=torch.uint8))
        >>> sr.shape, sr.dtype
        (torch.Size([1, 20, 28, 3]), torch.uint8)
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self.dtype = next(generator.parameters()).dtype

    def forward(self, lr: Tensor) -> Tensor:
        """Enlarge uint8 `[B, H, W, 3]` to uint8 `[B, scale * H, scale * W, 3]`, rounding once."""
        image = lr.permute(0, 3, 1, 2).to(torch.float32) / 255
        sr = self.generator(image.to(self.dtype)).float()
        pictures: Tensor = (sr.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        return pictures

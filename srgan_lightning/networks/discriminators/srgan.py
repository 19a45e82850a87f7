"""The discriminator of SRGAN."""

from typing import Literal

from torch import Tensor, nn

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import DISCRIMINATORS, Discriminator


@DISCRIMINATORS.register("srgan")
class SRGANDiscriminator(Discriminator):
    """SRGAN's discriminator (Ledig et al. 2017, fig. 4), without its last sigmoid.

    Eight 3×3 convolutions of w, w, 2w, 2w, 4w, 4w, 8w, 8w channels (w = 64 in the paper), every
    second with stride 2, BatchNorm after each but the first, LeakyReLU(0.2); a dense layer of
    1024, LeakyReLU, a dense layer of 1. The image is mapped from [0, 1] to the paper's [−1, 1].

    Args:
        crop_size: side of the square images to judge, in pixels; 17 or more, so that even one image
            leaves BatchNorm several values a channel.
        width: channels of the first convolution.
        hidden: neurons of the first dense layer.
        norm: `batch`, or `none` for no normalisation.

    Raises:
        UserError: for a crop below 17 pixels, or an image of another size than `crop_size`.

    Example:
        >>> import torch
        >>> SRGANDiscriminator(crop_size=20, width=4, hidden=8)(torch.rand(2, 3, 20, 20)).shape
        torch.Size([2, 1])
    """

    def __init__(
        self,
        *,
        crop_size: int = 96,
        width: int = 64,
        hidden: int = 1024,
        norm: Literal["batch", "none"] = "batch",
    ) -> None:
        super().__init__()
        if crop_size < 17:
            raise UserError(f"discriminator.crop_size: must be 17 or more (got {crop_size})")
        self.crop_size = crop_size
        layers: list[nn.Module] = []
        inputs = 3
        side = crop_size
        for index, factor in enumerate((1, 1, 2, 2, 4, 4, 8, 8)):
            outputs = factor * width
            stride = 1 + index % 2
            normed = norm == "batch" and index > 0
            layers.append(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=not normed))
            if normed:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            inputs = outputs
            side = -(-side // stride)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(inputs * side**2, hidden),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(hidden, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Judge a batch `[B, 3, crop_size, crop_size]` in [0, 1]; returns logits `[B, 1]`."""
        height, width = image.shape[-2:]
        if (height, width) != (self.crop_size, self.crop_size):
            raise UserError(
                f"discriminator.crop_size: is {self.crop_size}, but the images are "
                f"{height}x{width}; set it to data.crop_size"
            )
        logits: Tensor = self.classifier(self.features(2 * image - 1))
        return logits

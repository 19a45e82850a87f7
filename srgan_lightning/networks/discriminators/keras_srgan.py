"""The discriminator of the Keras SRGAN that a thesis trained."""

from torch import Tensor, nn

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import DISCRIMINATORS, Discriminator
from srgan_lightning.networks.keras import keras_norm, start_as_keras


@DISCRIMINATORS.register("keras_srgan")
class KerasSRGANDiscriminator(Discriminator):
    """The Keras SRGAN's discriminator, after Ledig et al. 2017, fig. 4, layer for layer.

    Eight 3×3 convolutions of w, w, 2w, 2w, 4w, 4w, 8w, 8w channels, all with a bias, every second
    with stride 2, BatchNorm (eps 1e-3) after each but the first, LeakyReLU(0.2); a dense layer of
    1024, LeakyReLU, a dense layer of 1. The sigmoid that ends it in Keras is left to the loss: it
    answers logits, like every discriminator here. Where a side is even, Keras's `same` pads a
    convolution of stride 2 at the bottom and right alone; so does this. The image is mapped from
    [0, 1] to [−1, 1].

    For the thesis's 384×384 Keras counts 306,684,737 parameters, 3,712 of them BatchNorm's moving
    means and variances, which are buffers here: 306,681,025 parameters are left, nearly all in the
    first dense layer. With Adam's two moments they make every checkpoint some 3.7 GB big.

    Args:
        crop_size: side of the square images to judge, in pixels; 17 or more, so that even one image
            leaves BatchNorm several values a channel.
        width: channels of the first convolution.
        hidden: neurons of the first dense layer.
        momentum: of the BatchNorms, in Keras's sense: 1 minus PyTorch's.

    Raises:
        UserError: for a crop below 17 pixels, a momentum outside of [0, 1), or an image of another
            size than `crop_size`.

    Example:
        >>> import torch
        >>> network = KerasSRGANDiscriminator(crop_size=20, width=4, hidden=8)
        >>> network(torch.rand(2, 3, 20, 20)).shape
        torch.Size([2, 1])
    """

    def __init__(
        self, *, crop_size: int = 384, width: int = 64, hidden: int = 1024, momentum: float = 0.5
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
            before = 1 if stride == 1 else side % 2  # Keras's `same`
            layers += [nn.ZeroPad2d((before, 1, before, 1)), nn.Conv2d(inputs, outputs, 3, stride)]
            if index > 0:
                layers.append(keras_norm(outputs, momentum))
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
        start_as_keras(self)

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

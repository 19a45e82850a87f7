"""PatchGAN, the discriminator of pix2pix."""

from typing import Literal

from torch import Tensor, nn

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import DISCRIMINATORS, Discriminator

_SMALLEST = 24


@DISCRIMINATORS.register("patchgan")
class PatchGAN(Discriminator):
    """The 70×70 PatchGAN C64-C128-C256-C512 (Isola et al. 2017, sec. 3.2.2 and 6.1.2).

    Five 4×4 convolutions, the first three with stride 2, a norm after each but the first and the
    last, LeakyReLU(0.2); weights from N(0, 0.02²). Each logit judges a patch of 70×70 pixels. The
    image is mapped from [0, 1] to the paper's [−1, 1]; it is judged alone, without a condition.

    Args:
        crop_size: side of the images in training, in pixels; other sizes are judged, too.
        width: channels of the first convolution.
        norm: `batch`; `instance`, without learned parameters, as CycleGAN has it; or `none`.

    Raises:
        UserError: for a side below 24 pixels.

    Example:
        >>> import torch
        >>> PatchGAN(width=4)(torch.rand(2, 3, 96, 64)).shape
        torch.Size([2, 1, 10, 6])
    """

    def __init__(
        self,
        *,
        crop_size: int = 256,
        width: int = 64,
        norm: Literal["batch", "instance", "none"] = "batch",
    ) -> None:
        super().__init__()
        _check_size(crop_size, crop_size)
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, padding=1), nn.LeakyReLU(0.2)]
        inputs = width
        for factor, stride in ((2, 2), (4, 2), (8, 1)):
            outputs = factor * width
            convolution = nn.Conv2d(inputs, outputs, 4, stride, padding=1, bias=norm != "batch")
            layers.append(convolution)
            if norm == "batch":
                layers.append(nn.BatchNorm2d(outputs))
            elif norm == "instance":
                layers.append(nn.InstanceNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            inputs = outputs
        layers.append(nn.Conv2d(inputs, 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        """Judge a batch `[B, 3, H, W]` in [0, 1]; logits `[B, 1, H // 8 − 2, W // 8 − 2]`."""
        _check_size(*image.shape[-2:])
        logits: Tensor = self.layers(2 * image - 1)
        return logits


def _check_size(height: int, width: int) -> None:
    if min(height, width) < _SMALLEST:
        raise UserError(
            f"discriminator patchgan: judges images of {_SMALLEST} pixels or more a side, not "
            f"{height}x{width}; set data.crop_size"
        )

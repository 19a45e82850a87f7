"""The U-Net discriminator of Real-ESRGAN."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import DISCRIMINATORS, Discriminator


@DISCRIMINATORS.register("unet")
class UNetDiscriminator(Discriminator):
    """Real-ESRGAN's U-Net with spectral normalisation (Wang et al. 2021, sec. 3.4).

    A convolution, three of 4×4 and stride 2 that double the channels, three after bilinear
    enlargement that halve them, each way's maps of one size added, two more, and one to a logit
    for every pixel; LeakyReLU(0.2). All but the first and the last are spectrally normalised. The
    layers have the names of BasicSR's `UNetDiscriminatorSN`.

    Args:
        crop_size: side of the images in training, in pixels; other sizes are judged, too.
        width: channels of the first convolution.

    Raises:
        UserError: for a side that is no multiple of 8.

    Example:
        >>> UNetDiscriminator(width=4)(torch.rand(2, 3, 16, 24)).shape
        torch.Size([2, 1, 16, 24])
    """

    def __init__(self, *, crop_size: int = 256, width: int = 64) -> None:
        super().__init__()
        _check_size(crop_size, crop_size)
        self.conv0 = nn.Conv2d(3, width, 3, padding=1)
        self.conv1 = _halving(width, 2 * width)
        self.conv2 = _halving(2 * width, 4 * width)
        self.conv3 = _halving(4 * width, 8 * width)
        self.conv4 = _keeping(8 * width, 4 * width)
        self.conv5 = _keeping(4 * width, 2 * width)
        self.conv6 = _keeping(2 * width, width)
        self.conv7 = _keeping(width, width)
        self.conv8 = _keeping(width, width)
        self.conv9 = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Judge a batch `[B, 3, H, W]` in [0, 1]; returns a logit a pixel, `[B, 1, H, W]`."""
        _check_size(*image.shape[-2:])
        whole = _activate(self.conv0(image))
        half = _activate(self.conv1(whole))
        quarter = _activate(self.conv2(half))
        eighth = _activate(self.conv3(quarter))
        out = _activate(self.conv4(_double(eighth))) + quarter
        out = _activate(self.conv5(_double(out))) + half
        out = _activate(self.conv6(_double(out))) + whole
        out = _activate(self.conv8(_activate(self.conv7(out))))
        logits: Tensor = self.conv9(out)
        return logits


class _Float32WeightConv2d(nn.Conv2d):
    """A convolution whose parametrised weight is computed in float32, whatever autocast says.

    Under autocast the power iteration's products would come in half precision, which its dot
    product with float32 vectors refuses.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Convolve `[B, C, H, W]`."""
        with torch.autocast(input.device.type, enabled=False):
            weight = self.weight
        maps: Tensor = self._conv_forward(input, weight, self.bias)
        return maps


def _halving(inputs: int, outputs: int) -> nn.Module:
    return spectral_norm(_Float32WeightConv2d(inputs, outputs, 4, 2, padding=1, bias=False))


def _keeping(inputs: int, outputs: int) -> nn.Module:
    return spectral_norm(_Float32WeightConv2d(inputs, outputs, 3, padding=1, bias=False))


def _activate(maps: Tensor) -> Tensor:
    return F.leaky_relu(maps, 0.2, inplace=True)


def _double(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)


def _check_size(height: int, width: int) -> None:
    if height % 8 or width % 8 or not height or not width:
        raise UserError(
            "discriminator unet: judges images whose sides are multiples of 8, not "
            f"{height}x{width}; set data.crop_size"
        )

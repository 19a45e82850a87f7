"""The metrics as torchmetrics, which add up over batches and processes."""

from abc import abstractmethod

import torch
from torch import Tensor
from torchmetrics import Metric

from srgan_lightning.metrics import colour, functional, multiscale
from srgan_lightning.metrics.preparation import Space


class ImageMean(Metric):
    """The mean of a figure over images, each image counting once, however they are batched."""

    full_state_update = False
    is_differentiable = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        # float32, since MPS has no float64: the mean of a hundred images is right to 1e-4 dB.
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    @abstractmethod
    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return one figure an image, `[B]`."""

    def update(self, sr: Tensor, hr: Tensor) -> None:
        """Add a batch of SR and HR, float `[B, 3, H, W]` in [0, 1]."""
        self.total += self.figures(sr, hr).sum().to(self.total)
        self.count += len(sr)

    def compute(self) -> Tensor:
        """Return the mean over all images so far; NaN if there were none."""
        return self.total / self.count


class PSNR(ImageMean):
    """Mean of `functional.psnr` over images, in dB.

    Args:
        crop: pixels left out at each border.
        space: `y` or `rgb`.

    Example:
        >>> metric = PSNR(crop=0, space="rgb")
        >>> hr = torch.zeros(2, 3, 16, 16)
        >>> metric.update(hr + 1 / 255, hr)
        >>> metric.compute().item()
        48.1308...
    """

    higher_is_better = True

    def __init__(self, *, crop: int = 4, space: Space = "y") -> None:
        super().__init__()
        self.crop, self.space = crop, space

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's PSNR."""
        return functional.psnr(sr, hr, crop=self.crop, space=self.space)


class SSIM(ImageMean):
    """Mean of `functional.ssim` over images.

    Args:
        crop: pixels left out at each border.
        space: `y` or `rgb`.
    """

    higher_is_better = True

    def __init__(self, *, crop: int = 4, space: Space = "y") -> None:
        super().__init__()
        self.crop, self.space = crop, space

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's SSIM."""
        return functional.ssim(sr, hr, crop=self.crop, space=self.space)


class MSSSIM(ImageMean):
    """Mean of `multiscale.ms_ssim` over images.

    Args:
        crop: pixels left out at each border.
        space: `y` or `rgb`.
    """

    higher_is_better = True

    def __init__(self, *, crop: int = 4, space: Space = "y") -> None:
        super().__init__()
        self.crop, self.space = crop, space

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's MS-SSIM."""
        return multiscale.ms_ssim(sr, hr, crop=self.crop, space=self.space)


class BrightnessShift(ImageMean):
    """Mean of `colour.brightness_shift` over images, in levels of luma.

    Args:
        crop: pixels left out at each border.
    """

    def __init__(self, *, crop: int = 4) -> None:
        super().__init__()
        self.crop = crop

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's shift."""
        return colour.brightness_shift(sr, hr, crop=self.crop)


class ColourShift(ImageMean):
    """Mean of `colour.colour_shift` over images, in levels of chroma.

    Args:
        crop: pixels left out at each border.
    """

    higher_is_better = False

    def __init__(self, *, crop: int = 4) -> None:
        super().__init__()
        self.crop = crop

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's shift."""
        return colour.colour_shift(sr, hr, crop=self.crop)


class Sharpness(ImageMean):
    """Mean of `functional.sharpness` over images: 1 is as sharp as HR.

    Args:
        crop: pixels left out at each border.
        scale: the factor between HR and LR.
    """

    def __init__(self, *, crop: int = 4, scale: int = 4) -> None:
        super().__init__()
        self.crop, self.scale = crop, scale

    def figures(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return each image's ratio of high-frequency energies."""
        return functional.sharpness(sr, hr, crop=self.crop, scale=self.scale)

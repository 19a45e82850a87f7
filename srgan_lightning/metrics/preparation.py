"""What is done to SR and HR before any figure is taken, in the protocol's order."""

from typing import Literal

from torch import Tensor

from srgan_lightning.errors import UserError

Space = Literal["y", "rgb"]


def quantize(image: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to the levels of 8 bits: float64 whole numbers in [0, 255].

    >>> import torch
    >>> quantize(torch.tensor([-1.0, 0.5, 0.7, 2.0])).tolist()
    [0.0, 128.0, 178.0, 255.0]
    """
    if image.device.type == "mps":  # it has no float64
        image = image.cpu()
    return image.double().clamp(0, 1).mul(255).round()


def to_y(image: Tensor) -> Tensor:
    """Return the luma of ITU-R BT.601 in [16, 235], not rounded, as MATLAB's `rgb2ycbcr` has it.

    Y = 65.481 R + 128.553 G + 24.966 B + 16.

    Args:
        image: `[..., 3, H, W]`, RGB in [0, 1].

    Returns:
        `[..., 1, H, W]`.
    """
    red, green, blue = image.unbind(-3)
    return (65.481 * red + 128.553 * green + 24.966 * blue + 16).unsqueeze(-3)


def prepare(
    sr: Tensor, hr: Tensor, *, crop: int, space: Space, smallest: int = 1
) -> tuple[Tensor, Tensor]:
    """Round, crop and convert both.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.
        space: `y` or `rgb`.
        smallest: the side that must remain.

    Returns:
        float64 `[B, C, H − 2·crop, W − 2·crop]`, levels of 255; C is 1 or 3.

    Raises:
        UserError: for pictures of different sizes, or with less left than the smallest side.
    """
    check_sizes(sr, hr)
    height, width = (side - 2 * crop for side in sr.shape[-2:])
    if min(height, width) < smallest:
        raise UserError(
            f"a picture of {sr.shape[-2]}x{sr.shape[-1]} is too small to be judged: "
            f"cropped by {crop} at each border it must keep {smallest}x{smallest} pixels"
        )
    cropped = (quantize(image[..., crop:, crop:][..., :height, :width]) for image in (sr, hr))
    sr, hr = (to_y(image / 255) if space == "y" else image for image in cropped)
    return sr, hr


def check_sizes(sr: Tensor, hr: Tensor) -> None:
    """Raise a `UserError` unless both are of one size."""
    if sr.shape != hr.shape:
        sizes = (f"{image.shape[-2]}x{image.shape[-1]}" for image in (sr, hr))
        raise UserError("SR and HR must have the same size, got {} and {}".format(*sizes))

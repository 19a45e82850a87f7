"""How far SR is from HR in brightness and in tint, as a whole."""

from torch import Tensor

from srgan_lightning.metrics.preparation import prepare

# ITU-R BT.601 for RGB in [0, 1] and chroma in [16, 240]; the offset of 128 falls out of a shift.
CB = (-37.797, -74.203, 112.0)
CR = (112.0, -93.786, -18.214)


def brightness_shift(sr: Tensor, hr: Tensor, *, crop: int = 4) -> Tensor:
    """Mean of Y_SR − Y_HR in levels of luma: above 0 where SR is too bright.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.

    Returns:
        float64 `[B]`; between black and white lie 219 levels.

    Raises:
        UserError: for pictures of different sizes, or with nothing left after the crop.

    Example:
        >>> import torch
        >>> black = torch.zeros(1, 3, 16, 16)
        >>> round(brightness_shift(black + 1, black).item(), 6)
        219.0
    """
    sr, hr = prepare(sr, hr, crop=crop, space="y")
    return (sr - hr).mean(dim=(1, 2, 3))


def colour_shift(sr: Tensor, hr: Tensor, *, crop: int = 4) -> Tensor:
    """Length of the mean chroma difference in levels: √(ΔCb² + ΔCr²), 0 without a tint.

    ΔCb is the mean of Cb_SR − Cb_HR over all pixels, ΔCr likewise, Cb and Cr as in BT.601.

    Args:
        sr: float `[B, 3, H, W]`, RGB in [0, 1].
        hr: of the same shape.
        crop: pixels left out at each border.

    Returns:
        float64 `[B]`.

    Raises:
        UserError: for pictures of different sizes, or with nothing left after the crop.

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 16, 16), 0.5)
        >>> colour_shift(grey * 0.5, grey).item() < 1e-9
        True
    """
    return colour_shift_of_levels(*prepare(sr, hr, crop=crop, space="rgb"))


def colour_shift_of_levels(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the colour shift `[B]` of RGB that `prepare` gives."""
    shift = (sr - hr).mean(dim=(2, 3)) / 255
    chroma = shift @ shift.new_tensor([CB, CR]).T
    return chroma.square().sum(1).sqrt()

"""Between NumPy pictures and image tensors."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Picture = NDArray[np.uint8]
Level = TypeVar("Level", np.uint8, np.uint16, np.float32)


def to_tensor(picture: Picture) -> Tensor:
    """Turn a picture into an image tensor.

    Args:
        picture: uint8 [H, W, 3].

    Returns:
        float32 [1, 3, H, W] in [0, 1].

    Raises:
        ValueError: for another shape or type.

    Example:
        >>> to_tensor(np.full((2, 3, 3), 255, np.uint8)).shape
        torch.Size([1, 3, 2, 3])
    """
    return as_batch(picture).float() / 255


def as_batch(picture: Picture) -> Tensor:
    """View a uint8 [H, W, 3] picture as a uint8 [1, 3, H, W] tensor, or raise `ValueError`."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture is uint8 [H, W, 3], not {picture.dtype} {list(picture.shape)}")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).unsqueeze(0)


def as_image(samples: NDArray[Level]) -> Tensor:
    """View or convert samples [H, W, 3] as a tensor [1, 3, H, W] of the network's range.

    8 bits stay uint8, for a tile at a time to be divided by 255; 16 bits are divided by 65535, and
    floating-point samples are taken as they are.
    """
    if samples.dtype == np.uint8:
        return as_batch(samples.view(np.uint8))
    values = samples.astype(np.float32)
    if samples.dtype == np.uint16:
        values /= 65535
    return torch.from_numpy(values).permute(2, 0, 1).unsqueeze(0)


def as_samples(image: Tensor, like: NDArray[Level]) -> NDArray[Level]:
    """Turn [1, 3, H, W] into samples [H, W, 3] of the type of `like`.

    Integers are clamped and rounded, floating-point values pass as they are.
    """
    if like.dtype == np.uint8:
        return to_picture(image).view(like.dtype)
    values = image.squeeze(0).permute(1, 2, 0).cpu().numpy()
    if like.dtype == np.uint16:
        values = np.rint(values.clip(0, 1) * np.float32(65535))
    return values.astype(like.dtype)


def to_picture(image: Tensor) -> Picture:
    """Clamp an image tensor to [0, 1], round it to 8 bits and hand it out as a picture.

    Args:
        image: float [1, 3, H, W] or [3, H, W] in [0, 1], on any device.

    Returns:
        uint8 [H, W, 3].

    Example:
        >>> to_picture(torch.full((3, 1, 1), 0.5)).tolist()
        [[[128, 128, 128]]]
    """
    if image.ndim == 4:
        image = image.squeeze(0)
    levels = (image.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)
    picture: Picture = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return picture

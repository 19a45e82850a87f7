"""Between NumPy pictures and image tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Picture = NDArray[np.uint8]


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

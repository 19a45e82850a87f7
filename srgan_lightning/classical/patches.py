"""Pictures cut into overlapping patches, and put together again."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, fold, pad, unfold

from srgan_lightning.degradations.resize import imresize

ENLARGED = 2  # features are looked at in LR of twice the size
FILTERS = 4


def luma(image: Tensor) -> Tensor:
    """Return Y of the ITU-R BT.601, full range: `[B, 3, H, W]` to `[B, 1, H, W]`."""
    return (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def gradient_features(y: Tensor) -> Tensor:
    """Filter LR luma, enlarged twice by bicubic, as Yang et al. 2010 do (section III-A).

    The filters are f1 = [−1, 0, 1], f2 = f1ᵀ, f3 = [1, 0, −2, 0, 1] and f4 = f3ᵀ: derivatives of
    first and second order. Beyond the border the picture goes on as its edge.

    Args:
        y: `[B, 1, h, w]`.

    Returns:
        `[B, 4, 2h, 2w]`.
    """
    image = pad(imresize(y, scale=ENLARGED), (2, 2, 2, 2), mode="replicate")
    first = y.new_tensor([[0, -1, 0, 1, 0]])
    second = y.new_tensor([[1, 0, -2, 0, 1]])
    across = torch.stack((first, second))[:, None]
    horizontal = conv2d(image[..., 2:-2, :], across)
    vertical = conv2d(image[..., :, 2:-2], across.mT)
    return torch.cat((horizontal, vertical), 1)


def cut(image: Tensor, *, side: int, step: int) -> Tensor:
    """Cut `[B, C, H, W]` into patches `[N, C·side²]`, picture by picture, row by row."""
    return unfold(image, side, stride=step).mT.flatten(0, 1)


def average(patches: Tensor, size: tuple[int, int], *, side: int, step: int) -> Tensor:
    """Put the patches `[N, side²]` of one picture together; where they overlap they are averaged.

    Example:
        >>> image = torch.rand(1, 1, 6, 8)
        >>> again = average(cut(image, side=4, step=2), (6, 8), side=4, step=2)
        >>> torch.allclose(again, image)
        True
    """
    columns = patches.T[None]
    count = fold(torch.ones_like(columns), size, side, stride=step)
    return fold(columns, size, side, stride=step) / count


def pad_for_patches(image: Tensor, *, side: int, step: int) -> Tensor:
    """Repeat the edge pixels of `[B, C, H, W]` until patches end with the picture.

    The upper left pixel lies at (side − 1, side − 1) then, and every pixel of the picture in as
    many patches as any other.
    """
    margins = []
    for length in (image.shape[-1], image.shape[-2]):
        margins += [side - 1, side - 1 + -(length + side - 2) % step]
    return pad(image, tuple(margins), mode="replicate")

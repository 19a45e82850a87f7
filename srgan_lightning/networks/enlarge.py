"""The literature's bicubic enlargement, for networks that start from it."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

RADIUS = 2  # four taps along an axis, at most two of them on one side


def enlarge(lr: Tensor, scale: int) -> Tensor:
    """Enlarge as MATLAB's `imresize` does: bicubic with a = −0.5, borders mirrored.

    (PyTorch's bicubic has a = −0.75, but −0.5 where it antialiases, which changes nothing else
    about an enlargement.) Half precision is computed in float32.

    Args:
        lr: float `[B, C, H, W]`.
        scale: the factor of both axes.

    Returns:
        `[B, C, scale * H, scale * W]` in `lr`'s dtype.

    Example:
        >>> enlarge(torch.tensor([[[[0.0, 1.0]]]]), 2)[0, 0, 0]
        tensor([-0.0938,  0.2031,  0.7969,  1.0938])
    """
    rows, columns = (_mirrored(side, lr.device) for side in lr.shape[-2:])
    padded = lr[..., rows, :][..., columns].to(torch.promote_types(lr.dtype, torch.float32))
    size = scale * padded.shape[-2], scale * padded.shape[-1]
    sr = interpolate(padded, size=size, mode="bicubic", antialias=True)
    margin = slice(RADIUS * scale, -RADIUS * scale)
    return sr[..., margin, margin].to(lr.dtype)


def enlarged_halo(radius: int, scale: int) -> int:
    """Return the halo, in LR pixels, of a filter that reaches `radius` pixels in the enlargement.

    Pixel h of an enlargement lies at u = (h + 1/2) / scale − 1/2 in LR and takes ⌊u⌋ − 1 … ⌊u⌋ + 2.
    Of LR pixel 0's block, pixel 0 reaches lowest: to h = −radius, hence to −halo.

    >>> enlarged_halo(0, 4), enlarged_halo(6, 4), enlarged_halo(20, 4)
    (2, 3, 7)
    """
    return 1 + math.ceil((2 * radius - 1 + scale) / (2 * scale))


def _mirrored(side: int, device: torch.device) -> Tensor:
    """Return the indices −2 … side + 1, reflected into 0 … side − 1 with the edge repeated."""
    index = torch.arange(-RADIUS, side + RADIUS, device=device)
    index = torch.where(index < 0, -1 - index, index)
    return torch.where(index >= side, 2 * side - 1 - index, index).clamp(0, side - 1)

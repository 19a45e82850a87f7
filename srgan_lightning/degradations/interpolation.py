"""torch's `interpolate` as matrices, with sizes of each image's own that stay on the device."""

import torch
from torch import Tensor

AREA, BILINEAR, BICUBIC = METHODS = range(3)


def interpolation_matrix(
    source: Tensor, target: Tensor, method: Tensor, *, shape: tuple[int, int]
) -> Tensor:
    """Return matrices that resize one axis from `source` to `target` pixels.

    They equal `torch.nn.functional.interpolate` with a given size (area, or bilinear and bicubic
    without antialias and aligned corners). Columns from `source` on are 0, so that whatever lies
    there does not count; rows from `target` on repeat the last one, which continues the edge.

    Args:
        source: each image's length, whole numbers from 1 to the number of columns, `[B]`.
        target: the length wanted, from 1 to the number of rows, `[B]`.
        method: `AREA`, `BILINEAR` or `BICUBIC`, `[B]`.
        shape: numbers of rows and columns.

    Returns:
        float32 `[B, rows, columns]`; each row sums to 1.
    """
    rows, columns = (torch.arange(count, device=source.device) for count in shape)
    source, target, method = source[:, None], target[:, None], method[:, None, None]
    row = torch.minimum(rows, target - 1)
    area = _area(row, columns, source, target)
    return torch.where(method == AREA, area, _taps(row, columns, source, target, method))


def _area(row: Tensor, columns: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Average the pixels that the output's span touches."""
    start = row * source // target
    end = ((row + 1) * source + target - 1) // target
    inside = (columns >= start[..., None]) & (columns < end[..., None])
    return inside / (end - start)[..., None]


def _taps(row: Tensor, columns: Tensor, source: Tensor, target: Tensor, method: Tensor) -> Tensor:
    """Weigh the four pixels around the output's place; the edge pixel stands for what is beyond."""
    place = (row + 0.5) * (source / target) - 0.5
    left = place.floor()
    share = (place - left)[..., None]
    weights = torch.where(method == BICUBIC, _cubic(share), _linear(share))
    first = left.long() - 1
    matrix = weights.new_zeros(())
    for tap in range(4):
        pixel = torch.minimum((first + tap).clamp(min=0), source - 1)
        matrix = matrix + weights[..., tap, None] * (columns == pixel[..., None])
    return matrix


def _linear(share: Tensor) -> Tensor:
    zero = torch.zeros_like(share)
    return torch.cat([zero, 1 - share, share, zero], dim=-1)


def _cubic(share: Tensor) -> Tensor:
    """Keys's kernel with a = −0.75, at distances 1 + t, t, 1 − t and 2 − t."""
    a = -0.75
    near = torch.cat([share, 1 - share], dim=-1)
    far = torch.cat([1 + share, 2 - share], dim=-1)
    near = ((a + 2) * near - (a + 3)) * near**2 + 1
    far = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    return torch.cat([far[..., :1], near, far[..., 1:]], dim=-1)

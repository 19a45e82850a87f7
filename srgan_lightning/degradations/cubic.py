"""A picture read between its pixels."""

import torch
from torch import Tensor


def sample_cubic(image: Tensor, xy: Tensor) -> Tensor:
    """Read a picture at any points with Keys' cubic (1981, a = −0.5), exact for parabolas.

    `torch.nn.functional.grid_sample` has a = −0.75, with which not even a slope stays where it is.
    Beyond the borders the picture goes on as in a mirror that repeats the edge pixel.

    Args:
        image: `[C, H, W]`.
        xy: points in pixels, centres at whole numbers, `[..., 2]`; in float64 for exactness.

    Returns:
        `[C, ...]` of the image's type.

    Example:
        >>> slope = torch.arange(9.0).expand(1, 9, 9)
        >>> sample_cubic(slope, torch.tensor([[3.25, 4.0]]))
        tensor([[3.2500]])
    """
    height, width = image.shape[-2:]
    corner = xy.floor()
    share = (xy - corner).to(image.dtype)
    columns = _taps(corner[..., 0].long(), width)
    rows = _taps(corner[..., 1].long(), height)
    across, down = _weights(share[..., 0]), _weights(share[..., 1])
    flat = image.flatten(1)
    result = image.new_zeros(len(image), *xy.shape[:-1])
    for row, weight in zip(rows, down, strict=True):
        line = torch.zeros_like(result)
        for column, share_of_line in zip(columns, across, strict=True):
            line += flat[:, row * width + column] * share_of_line
        result += line * weight
    return result


def _taps(first: Tensor, length: int) -> list[Tensor]:
    places = [(first + step) % (2 * length) for step in (-1, 0, 1, 2)]
    return [torch.minimum(place, 2 * length - 1 - place) for place in places]


def _weights(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )

"""Pictures read between their pixels."""

import torch
from torch import Tensor


def sample_cubic(images: Tensor, xy: Tensor) -> Tensor:
    """Read each picture of a batch at any points with Keys' cubic (1981, a = −0.5).

    It is exact for parabolas. `torch.nn.functional.grid_sample` has a = −0.75, with which not even
    a slope stays where it is. Beyond the borders a picture goes on as in a mirror that repeats the
    edge pixel.

    Args:
        images: `[B, C, H, W]`.
        xy: points in pixels, centres at whole numbers, `[B, ..., 2]`; in float64 for exactness.

    Returns:
        `[B, C, ...]` of the images' type.

    Example:
        >>> slope = torch.arange(9.0).expand(1, 1, 9, 9)
        >>> sample_cubic(slope, torch.tensor([[[3.25, 4.0]]]))
        tensor([[[3.2500]]])
    """
    batch, channels, height, width = images.shape
    points = xy.reshape(batch, 1, -1, 2)
    corner = points.floor()
    share = (points - corner).to(images.dtype)
    columns = _taps(corner[..., 0].long(), width)
    rows = _taps(corner[..., 1].long(), height)
    across, down = cubic_weights(share[..., 0]), cubic_weights(share[..., 1])
    flat = images.flatten(2)
    result = images.new_zeros(batch, channels, points.shape[2])
    for row, weight in zip(rows, down, strict=True):
        line = torch.zeros_like(result)
        for column, share_of_line in zip(columns, across, strict=True):
            index = (row * width + column).expand(-1, channels, -1)
            line += flat.gather(2, index) * share_of_line
        result += line * weight
    return result.view(batch, channels, *xy.shape[1:-1])


def _taps(first: Tensor, length: int) -> list[Tensor]:
    first = first % (2 * length)
    places = [first - 1, first, first + 1, first + 2]
    places = [torch.minimum(place, 2 * length - 1 - place) for place in places]
    return [torch.maximum(place, -1 - place) for place in places]


def cubic_weights(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the weights of the four pixels around a point that lies `t` behind the second."""
    return (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )

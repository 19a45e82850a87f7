"""What several networks are built of."""

import math
from collections.abc import Mapping

from torch import nn

from srgan_lightning.errors import UserError


def conv(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> nn.Conv2d:
    """Return a convolution that keeps height and width; `kernel` is odd."""
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def shuffle_steps(width: int, scale: int) -> nn.Sequential:
    """Return a 3×3 convolution and a pixel shuffle for each prime factor of the scale.

    Example:
        >>> import torch
        >>> shuffle_steps(8, 6)(torch.rand(1, 8, 2, 3)).shape
        torch.Size([1, 8, 12, 18])
    """
    steps: list[nn.Module] = []
    for factor in prime_factors(scale):
        steps += [conv(width, width * factor**2), nn.PixelShuffle(factor)]
    return nn.Sequential(*steps)


def shuffle_halo(radius: int, scale: int) -> int:
    """Return how far `shuffle_steps`, then a filter with `radius` pixels in SR, reach in LR.

    From the last layer back to the first: an enlargement by f divides by f, rounded up, and its
    3×3 convolution adds 1.

    >>> shuffle_halo(4, 4)
    3
    """
    for factor in reversed(prime_factors(scale)):
        radius = math.ceil(radius / factor) + 1
    return radius


def prime_factors(number: int) -> list[int]:
    """Factorise, smallest first.

    >>> prime_factors(12)
    [2, 2, 3]
    """
    factors = []
    factor = 2
    while number > 1:
        if number % factor == 0:
            factors.append(factor)
            number //= factor
        else:
            factor += 1
    return factors


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Check a generator's options that count something.

    Raises:
        UserError: for the first that is below 1.
    """
    for option, value in sizes.items():
        if value < 1:
            raise UserError(f"generator.{option}: must be 1 or more (got {value})")

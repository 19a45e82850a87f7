"""Between samples as files hold them and float32 in the network's range."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srgan_lightning.imaging.document import LEVELS

Level = TypeVar("Level", np.uint8, np.uint16, np.float32)


def unit(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Bring samples into the network's range: integers to [0, 1], floating point as it is.

    >>> unit(np.array([0, 65535], np.uint16)).tolist()
    [0.0, 1.0]
    """
    values = samples.astype(np.float32)
    top = LEVELS.get(samples.dtype)
    return values if top is None else values / np.float32(top)


def quantised(values: NDArray[np.float32], dtype: DTypeLike) -> NDArray[Any]:
    """Make samples of values in [0, 1]: integers are clamped and rounded, floats pass as they are.

    Args:
        values: of any shape; overwritten where `dtype` is an integer.
        dtype: uint8, uint16 or float32.

    Example:
        >>> quantised(np.array([-0.1, 0.5, 2.0], np.float32), np.uint8).tolist()
        [0, 128, 255]
    """
    top = LEVELS.get(np.dtype(dtype))
    if top is None:
        return values.astype(dtype, copy=False)
    np.clip(values, 0, 1, out=values)
    np.multiply(values, np.float32(top), out=values)
    np.rint(values, out=values)
    return values.astype(dtype)

"""How much memory a computation takes, by following the tensors that it makes."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

SIDES = 8, 16  # of the pieces that are tried


def bytes_per_pixel(compute: Callable[[int, int], object]) -> float:
    """Return by how much the peak of memory grows with every pixel of the input.

    The computation is run on two small inputs. What tensors hold is counted; what a library needs
    besides, within one operation, is not.

    Args:
        compute: makes an input of a height and a width and works on it, tensors in it included.

    Example:
        >>> bytes_per_pixel(lambda height, width: torch.zeros(3, height, width).sum(0))
        16.0
    """
    peaks = []
    for side in SIDES:
        peak = _Peak()
        with torch.no_grad(), peak:
            compute(side, side)
        peaks.append(peak.bytes)
    small, large = SIDES
    return (peaks[1] - peaks[0]) / float(large**2 - small**2)


class _Peak(TorchDispatchMode):
    """Adds the bytes of every storage that an operation makes while it lives."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self._now = 0
        self._living: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; else the compiler would be imported, which takes a second."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(answer):
            # The parts of a sparse one are tensors, too, that were made before.
            if isinstance(tensor, Tensor) and tensor.layout == torch.strided:
                self._count(tensor.untyped_storage())
        return answer

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._living:
            return
        self._living.add(key)
        self._now += storage.nbytes()
        self.bytes = max(self.bytes, self._now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._living.discard(key)
        self._now -= size

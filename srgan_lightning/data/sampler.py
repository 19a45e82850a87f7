"""Which crops a generator step consists of: a pure function of seed, rank and step."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from srgan_lightning.data.seeds import Stream, numpy_generator


class Request(NamedTuple):
    """The crops of one generator step on one rank.

    Attributes:
        step: the generator step.
        indices: int64 `[N]`, pictures by number.
        places: float64 `[N, 2]`, where each crop lies between the first (0) and the last (1,
            exclusive) position that its picture has for it; vertical, horizontal.
    """

    step: int
    indices: NDArray[np.int64]
    places: NDArray[np.float64]


class StepSampler(Sampler[Request]):
    """Yields one request a generator step.

    Crops are numbered through all steps and ranks. Each pass over the pictures takes every
    picture once, in an order drawn for that pass; crop n belongs to pass n // pictures. So a run
    that starts at step k goes on exactly as one that came there from step 0.

    Args:
        pictures: how many there are.
        batch_size: crops per batch and rank.
        total_steps: generator steps of the whole run.
        chunks: how many batches a generator step consumes.
        seed: of the run.
        rank: of this process.
        world_size: number of processes.
        start_step: the first step to yield; the length stays that of the whole run.
        overfit: whether every step repeats step 0, to see that a network can learn at all.
    """

    def __init__(
        self,
        *,
        pictures: int,
        batch_size: int,
        total_steps: int,
        chunks: Callable[[int], int],
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        start_step: int = 0,
        overfit: bool = False,
    ) -> None:
        self.pictures = pictures
        self.batch_size = batch_size
        self.total_steps = total_steps
        self.chunks = chunks
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.start_step = start_step
        self.overfit = overfit

    def __len__(self) -> int:
        return self.total_steps

    def __iter__(self) -> Iterator[Request]:
        batches = sum(self.chunks(step) for step in range(self.start_step))
        consumed = batches * self.batch_size * self.world_size
        for step in range(self.start_step, self.total_steps):
            count = self.batch_size * self.chunks(step)
            first = 0 if self.overfit else consumed
            yield self._request(0 if self.overfit else step, first + self.rank * count, count)
            consumed += self.world_size * count

    def _request(self, step: int, first: int, count: int) -> Request:
        draws = numpy_generator(self.seed, Stream.POSITION, self.rank, step)
        return Request(step, indices=self._indices(first, count), places=draws.random((count, 2)))

    def _indices(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the pictures of the crops numbered first, …, first + count − 1."""
        start, end = first // self.pictures, (first + count - 1) // self.pictures
        orders = [_order(self.seed, number, self.pictures) for number in range(start, end + 1)]
        offset = first - start * self.pictures
        return np.concatenate(orders)[offset : offset + count]


@functools.lru_cache(maxsize=2)
def _order(seed: int, number: int, pictures: int) -> NDArray[np.int64]:
    """Return the order of one pass over the pictures."""
    return numpy_generator(seed, Stream.ORDER, number).permutation(pictures)

"""Decoding many pictures at once."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from srgan_lightning.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


def available_cpus() -> int:
    """Return how many CPU cores this process may use.

    >>> available_cpus() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R | UserError]:
    """Apply a function to items in threads; results come in order, with few of them waiting.

    A `UserError` comes as a value in its item's place. Pillow and zlib work without holding
    Python's lock, so threads do help.

    Example:
        >>> list(ordered_map(abs, [-1, 2, -3]))
        [1, 2, 3]
    """

    def guarded(item: T) -> R | UserError:
        try:
            return function(item)
        except UserError as error:
            return error

    threads = min(8, available_cpus())
    waiting: deque[Future[R | UserError]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(guarded, item))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

"""Random draws as functions of what they are for, so that nothing has to be remembered."""

import enum
import hashlib

import numpy as np


class Stream(enum.IntEnum):
    """What a draw is for; different streams of one seed never meet."""

    ORDER = 0
    POSITION = 1
    DEGRADATION = 2
    VALIDATION = 3
    PENALTY = 4


def derive_seed(seed: int, stream: Stream, *parts: int) -> int:
    """Mix a run's seed with the numbers that tell one draw from another (rank, step).

    >>> derive_seed(1, Stream.POSITION, 0, 7) == derive_seed(1, Stream.POSITION, 7, 0)
    False
    """
    state = np.random.SeedSequence((seed, stream, *parts)).generate_state(1, np.uint64)
    return int(state[0])


def numpy_generator(seed: int, stream: Stream, *parts: int) -> np.random.Generator:
    """Return a generator for one draw; the parts tell it from the others."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, *parts))))


def name_hash(name: str) -> int:
    """Return 64 bits that depend on a name alone, on every machine.

    >>> name_hash("0001.png") == name_hash("0001.png")
    True
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")

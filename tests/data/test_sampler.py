import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.data.sampler import StepSampler


def alternating(step):
    return 1 + step % 3


def requests(**changes):
    arguments = {
        "pictures": 7,
        "batch_size": 4,
        "total_steps": 10,
        "chunks": alternating,
        "seed": 1,
    }
    return list(StepSampler(**{**arguments, **changes}))


def equal(one, other):
    return (
        one.step == other.step
        and np.array_equal(one.indices, other.indices)
        and np.array_equal(one.places, other.places)
    )


sizes = {
    "pictures": st.integers(1, 40),
    "batch_size": st.integers(1, 9),
    "total_steps": st.integers(1, 12),
    "seed": st.integers(0, 2**63),
    "world_size": st.integers(1, 4),
}


@settings(deadline=None)
@given(**sizes)
def test_each_pass_takes_every_picture_once(world_size, **arguments):
    ranks = [requests(**arguments, rank=rank, world_size=world_size) for rank in range(world_size)]
    order = [r.indices.tolist() for step in zip(*ranks, strict=True) for r in step]
    drawn = list(itertools.chain(*order))
    pictures = arguments["pictures"]
    for start in range(0, len(drawn), pictures):
        counts = Counter(drawn[start : start + pictures])
        assert set(counts.values()) == {1}
        assert set(counts) <= set(range(pictures))


@settings(deadline=None)
@given(data=st.data(), **sizes)
def test_a_later_start_is_the_tail_of_the_whole(data, **arguments):
    start = data.draw(st.integers(0, arguments["total_steps"]))
    rank = data.draw(st.integers(0, arguments["world_size"] - 1))
    whole = requests(**arguments, rank=rank)
    tail = requests(**arguments, rank=rank, start_step=start)
    assert len(tail) == len(whole) - start
    assert all(map(equal, tail, whole[start:]))


def test_a_step_has_as_many_crops_as_its_chunks_ask_for():
    found = requests()
    assert [r.step for r in found] == list(range(10))
    assert [len(r.indices) for r in found] == [4 * alternating(step) for step in range(10)]
    for request in found:
        assert request.places.shape == (len(request.indices), 2)
        assert ((request.places >= 0) & (request.places < 1)).all()


def test_length_is_that_of_the_whole_run():
    sampler = StepSampler(
        pictures=3, batch_size=2, total_steps=9, chunks=lambda step: 1, seed=0, start_step=4
    )
    assert len(sampler) == 9
    assert len(list(sampler)) == 5


def test_the_seed_repeats_and_other_seeds_and_ranks_differ():
    assert all(map(equal, requests(), requests()))
    assert not any(map(equal, requests(), requests(seed=2)))
    ranks = [requests(rank=rank, world_size=2) for rank in (0, 1)]
    assert not any(np.array_equal(a.places, b.places) for a, b in zip(*ranks, strict=True))


def test_passes_come_in_different_orders():
    order = [r.indices.tolist() for r in requests(pictures=12, batch_size=12, chunks=lambda s: 1)]
    assert len({tuple(indices) for indices in order}) == len(order)


@pytest.mark.parametrize("axis", [0, 1])
def test_positions_are_uniform(axis):
    places = np.concatenate([r.places for r in requests(total_steps=400)])[:, axis]
    counts, _ = np.histogram(places, bins=10, range=(0, 1))
    assert np.abs(counts / len(places) - 0.1).max() < 0.03

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.sweeps.importance import importance


def shares(jobs, keys):
    return {one.key: one.share for one in importance(jobs, keys)}


def test_a_value_that_decides_all_explains_all():
    grid = [({"a": str(a), "b": str(b)}, float(a)) for a, b in itertools.product(range(3), "xy")]
    assert shares(grid, ["b", "a"]) == pytest.approx({"a": 1.0, "b": 0.0})
    assert [one.key for one in importance(grid, ["b", "a"])] == ["a", "b"]


@given(st.lists(st.floats(-50, 50), min_size=12, max_size=12), st.permutations(range(12)))
def test_on_a_grid_shares_are_squared_correlations_of_a_least_squares_fit(objectives, order):
    cells = list(itertools.product("pqr", "uvwx"))
    jobs = [({"a": a, "b": b}, y) for (a, b), y in zip(cells, objectives, strict=True)]
    y = np.array(objectives)
    if y.std() < 1e-3:
        return
    found = shares([jobs[i] for i in order], ["a", "b"])
    for key in ("a", "b"):
        names = sorted({values[key] for values, _ in jobs})
        design = np.array([[values[key] == name for name in names] for values, _ in jobs], float)
        fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
        assert found[key] == pytest.approx(fitted.var() / y.var(), abs=1e-9)
    assert sum(found.values()) <= 1 + 1e-9


def test_without_effect_the_share_is_that_of_chance():
    draws = np.random.default_rng(0)
    found = []
    for _ in range(300):
        jobs = [({"lr": repr(draws.random())}, draws.normal()) for _ in range(15)]
        (one,) = importance(jobs, ["lr"])
        assert (one.classes, one.by_chance) == (3, pytest.approx(2 / 14))
        found.append(one.share)
    assert np.mean(found) == pytest.approx(2 / 14, abs=0.02)


def test_a_drawn_number_that_decides_all_is_found():
    jobs = [({"lr": f"{10 ** -(1 + n / 10):.9g}", "name": "ab"[n % 2]}, -n) for n in range(30)]
    found = shares(jobs, ["name", "lr"])
    assert found["lr"] > 0.85
    assert found["name"] < 0.05


def test_too_few_or_equal_jobs_say_nothing():
    assert importance([], ["a"]) == []
    assert importance([({"a": "1"}, 1.0)], ["a"]) == []
    assert importance([({"a": "x"}, 1.0), ({"a": "y"}, 2.0)], ["a"]) == []
    assert importance([({"a": a}, 1.0) for a in "xxyy"], ["a"]) == []

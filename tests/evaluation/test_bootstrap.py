import numpy as np
import pytest
import scipy.stats

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import Protocol, Row, Table, compare
from srgan_lightning.evaluation.bootstrap import paired_interval

PROTOCOL = Protocol(degradation="bicubic")


@pytest.mark.parametrize("count", [5, 14, 100])
def test_the_interval_is_scipy_s(count):
    values = np.random.default_rng(count).normal(0.3, 0.5, count)
    expected = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=50_000, rng=1
    ).confidence_interval
    assert paired_interval(values) == pytest.approx(tuple(expected), abs=0.02)


def test_the_interval_follows_its_seed_and_level():
    values = np.random.default_rng(0).normal(size=12)
    assert paired_interval(values) == paired_interval(values)
    assert paired_interval(values, seed=1) != paired_interval(values)
    low, high = paired_interval(values, level=0.5)
    assert paired_interval(values)[0] < low < high < paired_interval(values)[1]


def table() -> Table:
    rows = []
    for index in range(6):
        psnr = 25.0 + index
        rows.append(Row("bicubic", f"{index}", {"psnr": psnr, "ssim": 0.8, "seconds": 1.0}))
        for run in ("a", "b"):
            gain = 1 + 0.1 * index + (0.2 if run == "b" else 0)
            rows.append(Row("ours", f"{index}", {"psnr": psnr + gain, "ssim": 0.9}, run=run))
    return Table(PROTOCOL, rows)


def test_methods_are_compared_picture_by_picture_with_the_mean_of_runs():
    first, second = compare(table())
    assert (first.method, first.to, first.figure, first.pictures) == ("ours", "bicubic", "psnr", 6)
    gains = 1.1 + 0.1 * np.arange(6)
    assert first.mean == pytest.approx(gains.mean())
    assert (first.low, first.high) == pytest.approx(paired_interval(gains))
    assert second.figure == "ssim"
    assert (second.low, second.high) == pytest.approx((0.1, 0.1))
    (other, _) = compare(table(), to="ours")
    assert other.method == "bicubic"
    assert other.mean == pytest.approx(-first.mean)


def test_what_cannot_be_compared_is_left_out():
    rows = [Row("a", "x", {"psnr": 20.0}), Row("b", "x", {"psnr": 21.0})]
    assert compare(Table(PROTOCOL, rows)) == []
    rows += [Row("a", "y", {"psnr": 20.0}), Row("b", "y", {"psnr": float("inf")})]
    assert compare(Table(PROTOCOL, rows)) == []


def test_an_unknown_method_is_told():
    with pytest.raises(UserError, match="compare_to: no method is called 'bicubik'; did you mean"):
        compare(table(), to="bicubik")

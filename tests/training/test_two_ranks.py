"""Two processes that train together equal one with twice the batch; their figures are gathered."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
import two_ranks
from torch import Tensor

from srgan_lightning.training.build import quiet_lightning

CASES = {
    "plain": (),
    "accumulated": ("optim.accumulate=2", "optim.clip_norm=0.01"),
    "three updates of D": ("schedule.stages.adversarial.d_steps=3",),
    "relativistic": ("loss.adversarial.name=relativistic",),
    "wgan_gp": ("loss.adversarial.name=wgan_gp", "optim.accumulate=2"),
    "batch norm": ("generator.norm=batch", "discriminator.norm=batch"),
}
# What a rank draws, and a mean over its own batch within a loss, another batch does not repeat.
LIKE_ONE = ("plain", "accumulated", "three updates of D")
STATISTICS = ("running_mean", "running_var")

pytestmark = pytest.mark.filterwarnings("ignore:You defined a `validation_step`")


@pytest.fixture(autouse=True)
def _quiet():
    with quiet_lightning():
        yield


@pytest.fixture(scope="module")
def cases(compose):
    return {
        name: compose(
            *("generator.norm=none", "discriminator.norm=none", "loss.adversarial.weight=0.1"),
            *("schedule.stages.pixel.steps=2", "schedule.stages.adversarial.steps=3"),
            *overrides,
        )
        for name, overrides in CASES.items()
    }


@pytest.fixture(scope="module")
def ranks(cases, tmp_path_factory) -> list[dict[str, dict[str, Tensor]]]:
    """What each of two processes came to."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "cases.json").write_text(json.dumps(cases))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, two_ranks.__file__, folder],
            env={**os.environ, **together, "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=300) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("case", CASES)
def test_both_ranks_hold_the_same(ranks, case):
    for rank in ranks:
        assert_equal(rank[f"{case} ours"], ranks[0][f"{case} ours"], rtol=0, atol=0)


@pytest.mark.parametrize("case", LIKE_ONE)
def test_two_ranks_are_one_with_twice_the_batch(ranks, cases, case):
    one = two_ranks.train(cases[case], slice(None), devices=1)
    assert_equal(ranks[0][f"{case} ours"], one.state_dict(), rtol=1e-4, atol=2e-6)
    half = two_ranks.train(cases[case], slice(0, None, 2), devices=1)
    with pytest.raises(AssertionError):  # the other rank's crops matter
        assert_equal(half.state_dict(), one.state_dict(), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_lightnings_search_for_unused_parameters_comes_to_the_same(ranks, case):
    ours, theirs = ranks[0][f"{case} ours"], ranks[0][f"{case} theirs"]
    weights = {key: tensor for key, tensor in ours.items() if not key.endswith(STATISTICS)}
    assert_equal(weights, {key: theirs[key] for key in weights}, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_each_update_sends_its_networks_gradients_once(ranks, case):
    pixel_steps, steps, d_steps = 2, 3, 3 if case == "three updates of D" else 1
    state = ranks[0][f"{case} ours"]
    g, d = (
        sum(
            tensor.numel()
            for key, tensor in state.items()
            if key.startswith(network) and not key.endswith((*STATISTICS, "num_batches_tracked"))
        )
        for network in ("generator.", "discriminator.")
    )
    assert ranks[0][f"{case} sent"] == pixel_steps * g + steps * (g + d_steps * d)


def test_running_statistics_are_means_over_the_ranks(ranks, cases):
    shares = slice(0, None, 2), slice(1, None, 2)
    first = {**cases["batch norm"]}
    first["trainer"] = {**first["trainer"], "max_steps": 1}  # before weights can differ
    alone = [two_ranks.train(first, share, devices=1).state_dict() for share in shares]
    for key, tensor in ranks[0]["first step of batch norm"].items():
        if key.endswith(STATISTICS):
            expected = (alone[0][key] + alone[1][key]) / 2
            torch.testing.assert_close(tensor, expected, msg=key)


@pytest.mark.parametrize("count", two_ranks.PICTURES)
def test_figures_are_means_over_pictures_however_they_are_shared(ranks, cases, count):
    expected = two_ranks.validate(cases["plain"], count, devices=1)
    for rank in ranks:
        assert rank[f"{count}"] == pytest.approx(expected, rel=1e-5)


def assert_equal(mine, other, *, rtol, atol):
    assert mine.keys() == other.keys()
    for key, tensor in mine.items():
        torch.testing.assert_close(tensor, other[key], rtol=rtol, atol=atol, msg=key)

import pytest
import torch

from srgan_lightning import precision
from srgan_lightning.errors import UserError
from srgan_lightning.precision import Resolved, autocast, resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("ratio", "expected"), [(2.5, "bf16-mixed"), (1.3, "bf16-mixed"), (1.2, "32-true")]
)
def test_auto_takes_what_measured_fast(monkeypatch, ratio, expected):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: ratio)
    resolved = resolve_precision("auto", CPU)
    assert resolved.precision == expected
    assert f"measured {ratio} times" in resolved.reason


@pytest.mark.parametrize("asked", ["32-true", "bf16-mixed"])
def test_a_request_is_kept(asked):
    assert resolve_precision(asked, CPU) == Resolved(asked, True, "as asked")


def test_measurement_is_made_once_and_leaves_threads_and_random_state():
    precision.bf16_speedup.cache_clear()
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with torch.inference_mode():
        first = resolve_precision("auto", CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert resolve_precision("auto", CPU) == first
    assert precision.bf16_speedup.cache_info().misses == 1
    assert precision.bf16_speedup() > 0


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), "bf16-mixed"), ((8, 0), "bf16-mixed"), ((7, 5), "16-mixed"), ((6, 1), "32-true")],
)
def test_cuda_follows_the_hardware(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    resolved = resolve_precision("auto", torch.device("cuda"))
    assert resolved.precision == expected
    assert resolved.channels_last


def test_mps_computes_in_float32_unless_told():
    assert resolve_precision("auto", torch.device("mps")).precision == "32-true"
    assert resolve_precision("16-mixed", torch.device("mps")).precision == "16-mixed"


def test_fp16_on_the_cpu_is_refused():
    with pytest.raises(UserError, match="16-mixed wants a GPU"):
        resolve_precision("16-mixed", CPU)


def test_memory_format_follows_channels_last():
    assert Resolved("32-true", True, "").memory_format is torch.channels_last
    assert Resolved("32-true", False, "").memory_format is torch.contiguous_format


def test_autocast_computes_at_the_precision():
    weights = torch.ones(3, 3)
    with autocast("32-true", CPU):
        assert (weights @ weights).dtype is torch.float32
    with autocast("bf16-mixed", CPU):
        assert (weights @ weights).dtype is torch.bfloat16


def test_device_auto_is_the_best_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == CPU
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"


@pytest.mark.parametrize("name", ["cuda:7", "mps", "meta"])
def test_an_absent_device_is_said_in_one_line(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match="is not there"):
        resolve_device(name)


def test_an_unknown_device_is_said_in_one_line():
    with pytest.raises(UserError, match="'gpu' is none; take auto, cpu, cuda or mps"):
        resolve_device("gpu")

import pytest
import torch

from srgan_lightning import precision
from srgan_lightning.errors import UserError
from srgan_lightning.precision import Resolved, autocast, resolve_device, resolve_precision

CPU = torch.device("cpu")


def measured(
    monkeypatch: pytest.MonkeyPatch, f32: float, f32_last: float, bf16: float, bf16_last: float
) -> None:
    times = {
        ("32-true", False): f32,
        ("32-true", True): f32_last,
        ("bf16-mixed", False): bf16,
        ("bf16-mixed", True): bf16_last,
    }
    monkeypatch.setattr(precision, "measure_cpu", lambda: times)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((1.0, 0.9, 0.5, 0.4), ("bf16-mixed", True)),
        ((1.0, 0.9, 0.8, 0.8), ("32-true", True)),
        ((1.0, 2.0, 0.5, 0.7), ("bf16-mixed", False)),
        ((1.0, 2.0, 3.0, 3.0), ("32-true", False)),
        ((1.0, 1.0, 0.50, 0.52), ("bf16-mixed", True)),
    ],
)
def test_auto_takes_what_measured_fast(monkeypatch, times, expected):
    measured(monkeypatch, *times)
    resolved = resolve_precision("auto", CPU)
    assert (resolved.precision, resolved.channels_last) == expected
    assert "measured" in resolved.reason


def test_a_request_is_kept_and_only_its_layout_chosen(monkeypatch):
    measured(monkeypatch, 1.0, 0.5, 0.1, 0.9)
    assert resolve_precision("32-true", CPU).precision == "32-true"
    assert resolve_precision("32-true", CPU).channels_last
    assert not resolve_precision("bf16-mixed", CPU).channels_last


def test_measurement_is_made_once_and_leaves_the_random_state():
    state = torch.get_rng_state()
    with torch.inference_mode():
        first = resolve_precision("auto", CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert precision.measure_cpu() is precision.measure_cpu()
    assert resolve_precision("auto", CPU) == first


def test_measurement_takes_a_positive_time_for_every_variant_and_leaves_the_threads():
    threads = torch.get_num_threads()
    precision.measure_cpu.cache_clear()
    times = precision.measure_cpu()
    assert torch.get_num_threads() == threads
    assert len(times) == 4
    assert all(seconds > 0 for seconds in times.values())


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

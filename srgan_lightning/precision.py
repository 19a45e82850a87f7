"""Which device to compute on, and which precision is fast there: measured, not guessed."""

import contextlib
import functools
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from srgan_lightning.errors import UserError

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
Variant = tuple[Precision, bool]

WORTHWHILE = 1.3  # bf16 must be this many times as fast as float32 before it is taken
CLEARLY = 1.1  # NCHW must win by this much: crops and pictures arrive as NHWC
DTYPES: dict[Precision, torch.dtype] = {
    "32-true": torch.float32,
    "bf16-mixed": torch.bfloat16,
    "16-mixed": torch.float16,
}


@dataclass(frozen=True)
class Resolved:
    """What a request for precision came to on one device.

    Attributes:
        precision: as Lightning names it.
        channels_last: whether 4-D tensors are to lie in memory as NHWC.
        reason: why, in a few words, for logs and metadata.
    """

    precision: Precision
    channels_last: bool
    reason: str

    @property
    def memory_format(self) -> torch.memory_format:
        """The memory format for images and weights."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def resolve_device(requested: str = "auto") -> torch.device:
    """Turn a device's name into a device that is there.

    Args:
        requested: "auto" (CUDA, else MPS, else the CPU) or a name that torch knows ("cuda:1").

    Raises:
        UserError: for a name that torch does not know or a device that is not there.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    if requested == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(requested)
    except RuntimeError:
        raise UserError(f"device: {requested!r} is none; take auto, cpu, cuda or mps") from None
    present = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise UserError(f"device: {requested!r} is not there; `srgan info` lists what is")
    return device


def resolve_precision(requested: Literal["auto"] | Precision, device: torch.device) -> Resolved:
    """Choose the precision and the memory format to compute with on a device.

    On a CPU both are measured with a 3×3 convolution of 64 channels, forward and backward, and
    bf16 is taken where it is at least 1.3 times as fast as float32. A CUDA device gets bf16 where
    it has it in hardware, else fp16 where it has tensor cores; MPS computes in float32. The
    measurement takes a fraction of a second and is made once a process.

    Args:
        requested: "auto", or a precision that is then kept (only the memory format is chosen).
        device: where the network will run.

    Raises:
        UserError: for fp16 on the CPU, where loss scaling has no use and the arithmetic no speed.
    """
    if requested == "16-mixed" and device.type == "cpu":
        raise UserError("precision: 16-mixed wants a GPU; take auto, bf16-mixed or 32-true")
    if device.type == "cpu":
        return _resolve_cpu(requested)
    if device.type == "cuda":
        if requested != "auto":
            return Resolved(requested, True, "as asked")
        precision, reason = _cuda_precision(device)
        return Resolved(precision, True, reason)
    if requested != "auto":
        return Resolved(requested, False, "as asked")
    return Resolved("32-true", False, f"float32 is the sure choice on {device.type}")


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a network computes at `precision` on `device`.

    Example:
        >>> with autocast("bf16-mixed", torch.device("cpu")):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    if precision == "32-true":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision])


def _cuda_precision(device: torch.device) -> tuple[Precision, str]:
    capability = torch.cuda.get_device_capability(device)
    if capability >= (8, 0):
        return "bf16-mixed", "the GPU has bf16 in hardware"
    if capability >= (7, 0):
        return "16-mixed", "the GPU has fp16 tensor cores, but no bf16"
    return "32-true", "the GPU has no tensor cores"


def _resolve_cpu(requested: Literal["auto"] | Precision) -> Resolved:
    times = measure_cpu()
    best = {p: min(times[p, False], times[p, True]) for p in ("32-true", "bf16-mixed")}
    ratio = best["32-true"] / best["bf16-mixed"]
    measured = f"bf16 measured {ratio:.1f} times as fast as float32 on this CPU"
    precision: Precision = "bf16-mixed" if ratio >= WORTHWHILE else "32-true"
    if requested != "auto":
        precision, measured = requested, f"as asked; {measured}"
    channels_last = times[precision, True] <= CLEARLY * times[precision, False]
    return Resolved(precision, channels_last, measured)


@functools.cache
def measure_cpu() -> dict[Variant, float]:
    """Time a convolution forward and backward on the CPU, once a process.

    One thread computes and its own CPU time counts, so that other programs on the machine do not
    decide: with several threads each waits for the slowest, and the waiting hides the arithmetic.

    Returns:
        Seconds by (precision, channels_last), the best of a few interleaved rounds.
    """
    variants: list[Variant] = [
        (precision, channels_last)
        for precision in ("32-true", "bf16-mixed")
        for channels_last in (False, True)
    ]
    with (
        _one_thread(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.random.fork_rng(devices=[]),
    ):
        trials = {variant: _Trial(*variant) for variant in variants}
        for trial in trials.values():
            trial.seconds()  # the first call chooses kernels
        rounds = [{variant: trial.seconds() for variant, trial in trials.items()} for _ in range(3)]
    return {variant: min(times[variant] for times in rounds) for variant in trials}


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Trial:
    """Two convolutions and an activation, the stuff that every generator here is made of."""

    def __init__(self, precision: Precision, channels_last: bool) -> None:
        self.precision = precision
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network = nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)
        ).to(memory_format=layout)
        self.image = torch.rand(4, 64, 32, 32).to(memory_format=layout)

    def seconds(self) -> float:
        start = time.thread_time()
        with autocast(self.precision, torch.device("cpu")):
            loss = self.network(self.image).float().mean()
        loss.backward()
        return time.thread_time() - start

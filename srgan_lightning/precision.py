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

WORTHWHILE = 1.3  # bf16 must be this many times as fast as float32 before it is taken
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

    A CPU is measured with 3×3 convolutions of 64 channels, forward and backward, and bf16 is taken
    where it is at least 1.3 times as fast as float32. A CUDA device gets bf16 where it has it in
    hardware, else fp16 where it has tensor cores; MPS computes in float32. The measurement takes
    a fraction of a second and is made once a process. The memory format is channels last but for
    MPS: crops and pictures arrive so, and measured on CPUs it is the faster one or as fast.

    Args:
        requested: "auto", or a precision that is then kept.
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
    if requested != "auto":
        return Resolved(requested, True, "as asked")
    ratio = bf16_speedup()
    precision: Precision = "bf16-mixed" if ratio >= WORTHWHILE else "32-true"
    return Resolved(precision, True, f"bf16 measured {ratio:.1f} times as fast on this CPU")


@functools.cache
def bf16_speedup() -> float:
    """Return how many times as fast as float32 the CPU convolves in bf16; measured once a process.

    One thread computes and its own CPU time counts, so that other programs on the machine do not
    decide: with several threads each waits for the slowest, and the waiting hides the arithmetic.
    Each precision is measured in a few interleaved rounds, of which the best counts.
    """
    precisions: tuple[Precision, ...] = ("32-true", "bf16-mixed")
    with (
        _one_thread(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.random.fork_rng(devices=[]),
    ):
        trial = _Trial()
        for precision in precisions:
            trial.seconds(precision)  # the first call chooses kernels
        rounds = [[trial.seconds(precision) for precision in precisions] for _ in range(3)]
    float32, bf16 = (min(times) for times in zip(*rounds, strict=True))
    return float(float32 / bf16)


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

    def __init__(self) -> None:
        self.network = nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)
        ).to(memory_format=torch.channels_last)
        self.image = torch.rand(4, 64, 32, 32).to(memory_format=torch.channels_last)

    def seconds(self, precision: Precision) -> float:
        start = time.thread_time()
        with autocast(precision, torch.device("cpu")):
            loss = self.network(self.image).float().mean()
        loss.backward()
        return time.thread_time() - start

"""How much memory a device has to spare."""

from pathlib import Path

import torch

SHARE = 0.5  # of what is free: other programs want some too
CPU_MOST = 2**28  # bytes; larger bands were measured to be hardly faster there


def budget(device: torch.device) -> float:
    """Return how many bytes may be taken for the computation, as memory stands now."""
    if device.type == "cuda":
        return SHARE * torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        most, taken = torch.mps.recommended_max_memory(), torch.mps.driver_allocated_memory()
        return SHARE * max(most - taken, 0)
    return min(SHARE * free_memory(), CPU_MOST)


def free_memory() -> float:
    """Return the bytes that new work can take without swapping; infinite where nobody tells.

    >>> free_memory() > 2**20
    True
    """
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    kibibytes = {name: value.split()[0] for name, value in (line.split(":") for line in lines)}
    return 1024 * float(kibibytes.get("MemAvailable", "inf"))


def is_exhausted(error: Exception) -> bool:
    """Tell whether torch failed for want of memory; on CPUs and MPS only its words say so."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return "can't allocate memory" in words or "out of memory" in words

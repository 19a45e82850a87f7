"""What every degradation is: HR in, LR out, on the device that HR lies on."""

import dataclasses
import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.registry import Registry

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Degradation(ABC):
    """How a high-resolution picture becomes the low-resolution input of a generator.

    A subclass is a frozen dataclass: its fields are its options and its only state. Random draws
    are made per image and come from the `generator` alone, so that they repeat with its seed.
    Nothing in a degradation may wait for the device (no `.item()`, no boolean indexing).

    Args:
        scale: the factor between HR and LR.

    Example:
        >>> @dataclasses.dataclass(frozen=True, kw_only=True)
        ... class Decimate(Degradation):
        ...     offset: int = 0
        ...     def reduce(self, hr, generator):
        ...         return hr[..., self.offset :: self.scale, self.offset :: self.scale]
        >>> decimate = Decimate(scale=2)
        >>> decimate.describe(), decimate(torch.zeros(1, 3, 8, 6)).shape
        ('Decimate(scale=2, offset=0)', torch.Size([1, 3, 4, 3]))
    """

    scale: int = 4

    def __post_init__(self) -> None:
        check_bounds("scale", self.scale, low=1)

    @abstractmethod
    def reduce(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Do what `__call__` promises; shapes are checked and autocast is off."""

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Degrade a batch.

        Args:
            hr: float32 `[B, 3, H, W]` in [0, 1]; H and W multiples of the scale.
            generator: the source of the draws, on HR's device; None is torch's global one.

        Returns:
            LR, float32 `[B, 3, H / scale, W / scale]` in [0, 1].

        Raises:
            ValueError: for any other shape (see `crop_to_multiple`).
        """
        if hr.ndim != 4 or hr.shape[1] != 3:
            raise ValueError(f"expected HR as [B, 3, H, W], got {list(hr.shape)}")
        height, width = hr.shape[-2:]
        if height % self.scale or width % self.scale or not height or not width:
            raise ValueError(f"HR of {height}x{width} is no multiple of the scale {self.scale}")
        with torch.autocast(hr.device.type, enabled=False):
            return self.reduce(hr, generator)

    def describe(self) -> str:
        """Return one line with the registered name and all options, for tables and metadata."""
        kind = type(self)
        name = next((n for n in DEGRADATIONS if DEGRADATIONS.get(n) is kind), kind.__name__)
        options = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self))
        return f"{name}({', '.join(options)})"


DEGRADATIONS = Registry[Degradation]("degradation")


def crop_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Crop `[..., H, W]` at the bottom and right to multiples of a number, as papers do.

    >>> crop_to_multiple(torch.zeros(3, 11, 8), 4).shape
    torch.Size([3, 8, 8])
    """
    height, width = image.shape[-2:]
    return image[..., : height - height % multiple, : width - width % multiple]


def to_8_bits(image: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to the nearest multiple of 1/255.

    >>> (to_8_bits(torch.tensor([-1.0, 0.5, 2.0])) * 255).tolist()
    [0.0, 128.0, 255.0]
    """
    return image.clamp(0, 1).mul(255).round().div(255)


def draw(bounds: Range, hr: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw a number for each image of a batch, uniformly between two bounds: `[B]`."""
    low, high = bounds
    share = torch.rand(hr.shape[0], generator=generator, device=hr.device)
    return low + (high - low) * share


def check_bounds(option: str, value: float | Range, *, low: float, high: float = math.inf) -> None:
    """Raise a `UserError` unless a number, or a rising range of numbers, lies in [low, high]."""
    ends = value if isinstance(value, tuple) else (value, value)
    if not low <= ends[0] <= ends[1] <= high or math.isinf(ends[1]):
        shape = "two rising numbers, " if isinstance(value, tuple) else ""
        limits = f"at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
        got = list(value) if isinstance(value, tuple) else value
        raise UserError(f"degradation.{option}: must be {shape}{limits}; got {got}")

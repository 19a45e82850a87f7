"""Bursts: many frames of one size, read one after the other as often as they are wanted."""

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.inference.planes import value_range
from srgan_lightning.multiframe.sources import Found, Source, first_header, sources_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frames:
    """The frames of a burst, read anew in every pass: memory does not depend on their number.

    Made by `open_frames`, which has read all of them once, or by `of` from tensors.

    Attributes:
        names: of the frames, in their order.
        channels: 1 (grey) or 3 (RGB).
        size: (height, width).
        scale: (low, high), the file's values that are 0 and 1 here; (0, 1) for pictures.
        header: astropy's of the file that the first frame lies in, if that is FITS, or None.
        skipped: why frames were left out, one line each.
    """

    names: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    scale: tuple[float, float] = (0.0, 1.0)
    header: Any = None
    skipped: tuple[str, ...] = ()
    _sources: tuple[Source, ...]
    _numbers: tuple[int, ...]  # of these frames among all that can be read
    _levels: tuple[tuple[float, float], ...] = ()  # (gain, offset) of each, or none

    @classmethod
    def of(cls, frames: Tensor) -> "Frames":
        """Take frames `[N, C, H, W]` that are in memory already."""
        names = tuple(f"frame {n + 1}" for n in range(len(frames)))
        values = frames.detach().float().cpu().numpy()
        return cls(
            names=names,
            channels=frames.shape[1],
            size=(frames.shape[2], frames.shape[3]),
            _sources=(lambda: map(Found, names, values),),
            _numbers=tuple(range(len(names))),
        )

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.names)

    def __iter__(self) -> Iterator[Tensor]:
        """Read one frame after the other, float32 `[C, H, W]`."""
        wanted = iter(zip(self._numbers, self._levels or [(1.0, 0.0)] * len(self), strict=True))
        next_one, level = next(wanted, (None, (1.0, 0.0)))
        readable = (f.values for source in self._sources for f in source() if f.values is not None)
        for number, values in enumerate(readable):
            if number == next_one:
                yield self._levelled(self._scaled(values), *level)
                next_one, level = next(wanted, (None, level))
            if next_one is None:
                return

    def __getitem__(self, n: int) -> Tensor:
        """Read frame n."""
        return next(iter(self.only([range(len(self))[n]])))

    def only(self, frames: Sequence[int]) -> "Frames":
        """Return some of the frames, in the order that they have here."""
        chosen = sorted(set(frames))
        return dataclasses.replace(
            self,
            names=tuple(self.names[n] for n in chosen),
            _numbers=tuple(self._numbers[n] for n in chosen),
            _levels=tuple(self._levels[n] for n in chosen) if self._levels else (),
        )

    def levelled(self, gains: Sequence[float], offsets: Sequence[float]) -> "Frames":
        """Return the frames with (values - offset) / gain, one of each for every frame.

        White that a gain above 1 has clipped tells nothing, and becomes NaN in pictures.
        """
        return dataclasses.replace(self, _levels=tuple(zip(gains, offsets, strict=True)))

    def _levelled(self, values: Tensor, gain: float, offset: float) -> Tensor:
        if gain > 1 and self.header is None:
            values = torch.where(values < 1, values, torch.nan)
        return (values - offset) / gain if (gain, offset) != (1, 0) else values

    def stack(self) -> Tensor:
        """Read all frames into memory, `[N, C, H, W]`."""
        return torch.stack(list(self))

    def _scaled(self, values: NDArray[np.float32]) -> Tensor:
        low, high = self.scale
        if self.scale != (0.0, 1.0):
            values = ((values.astype(np.float64) - low) / (high - low)).astype(np.float32)
        if len(values) < self.channels:  # a grey picture of a film in colour
            values = np.repeat(values, self.channels, axis=0)
        return torch.from_numpy(np.ascontiguousarray(values))


def open_frames(paths: Sequence[str | Path]) -> Frames:
    """Open a burst and read it once, to know that it is one.

    Folders of pictures or FITS files (in the order of their numbers), pictures, TIFF files of
    many pages, videos, animations, FITS cubes; one of them, or a list that is one burst.
    Pictures lie on 0 to 1. FITS values are scaled as `Frames.scale` says, by the first frame's
    0.1st and 99.9th percentile; nothing is clipped. Frames that cannot be read are left out, which
    is said. Pixels that are NaN, BLANK or wholly transparent are NaN.

    Raises:
        UserError: a path is missing, frames differ in size, grey and colour or FITS and pictures
            are mixed, a cube has its axes in another order, or fewer than two frames are left.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise UserError("no frames: name a folder, a video, a FITS cube or several pictures")
    sources = sources_of(files)
    names: list[str] = []
    skipped: list[str] = []
    first: Found | None = None
    channels = 1
    for found in (found for source in sources for found in source()):
        if found.values is None:
            skipped.append(found.fault)
            continue
        first = first or found
        _compare(found, first)
        channels = max(channels, len(found.values))
        names.append(found.name)
    for line in skipped:
        warnings.warn(f"left out: {line}", stacklevel=2)
    if first is None or first.values is None or len(names) < 2:
        raise UserError(
            f"{files[0]}: {'no frame' if first is None else 'one frame only'} can be read; "
            "fusing wants two or more (`srgan upscale` enlarges one)"
        )
    measured = first.kind == "FITS"
    known = first.values[np.isfinite(first.values)].astype(np.float64)
    return Frames(
        names=tuple(names),
        channels=channels,
        size=(first.values.shape[1], first.values.shape[2]),
        scale=value_range(known) if measured else (0.0, 1.0),
        header=first_header(first.file) if measured else None,
        skipped=tuple(skipped),
        _sources=tuple(sources),
        _numbers=tuple(range(len(names))),
    )


def _compare(found: Found, first: Found) -> None:
    """Raise a `UserError` unless two frames can be of one burst."""
    assert found.values is not None
    assert first.values is not None
    here, there = found.values.shape, first.values.shape
    if here[1:] != there[1:]:
        sizes = f"is {here[2]}x{here[1]}, but {first.name} {there[2]}x{there[1]}"
        raise UserError(f"{found.name}: {sizes}; the frames of a burst have one size")
    if (found.kind == "FITS") != (first.kind == "FITS"):
        raise UserError(f"{found.name}: FITS and pictures are mixed; give one or the other")
    if here[0] != there[0] and "film" not in (found.kind, first.kind):
        words = {1: "grey", 3: "colour"}
        raise UserError(
            f"{found.name}: is {words[here[0]]}, but {first.name} {words[there[0]]}; "
            "the frames of a burst are all grey or all colour"
        )

"""The upscaler: pictures of any size, enlarged strip by strip by whatever enlarges a tile."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.inference.resample import Size, Strip, resized
from srgan_lightning.inference.samples import Level, quantised, unit
from srgan_lightning.inference.tiling import next_span, spans

if TYPE_CHECKING:
    from srgan_lightning.inference.consistency import Consistency

Tiling = Literal["exact", "cells"]
Tile = int | Literal["auto"] | None
OnTile = Callable[[int], None]

CELL = 96  # pixels: the thesis's cells of LR, which become 384
OVERLAP = 16  # LR pixels on either side of a border, where tiles can only be blended
LEAST = 32  # LR pixels: the smallest side that is chosen by itself
VIEWS = 8  # of a picture, turned and mirrored, that an ensemble averages over


@dataclass(kw_only=True)
class Job:
    """A picture on its way.

    Attributes:
        lr: `[H, W, 3]`, uint8 or float32.
        side: of its tiles, halo not counted.
        precision: what it is computed in.
        told: called with the number of SR pixels added.
    """

    lr: NDArray[Any]
    side: int
    precision: str
    told: OnTile


class Upscaler(ABC):
    """Enlarges pictures of any size in bounded memory.

    A tile is read with a halo as wide as the generator's receptive field and cut at the picture's
    own borders, so the result equals that of the whole picture at once (up to the rounding of
    float arithmetic), while memory is bounded by the tile. A generator that looks at the whole
    picture (its halo is None) is given the whole picture where that is not larger than a tile;
    else its tiles overlap and are blended, which is said.

    Args:
        model: what the model is called in metadata.
        scale: the factor between the sides of LR and SR.
        halo: see `Generator.halo`.
        grid: see `Generator.grid`.
        tile: the largest side of a tile in LR pixels, halo not counted; None takes pictures whole,
            "auto" as much as fits into memory.
        tiling: "exact", or "cells": tiles without a halo, put side by side as they come.
        ensemble: whether to average over the eight ways of turning and mirroring (Timofte et al.
            2016, "Seven ways to improve example-based single image super resolution").
        degradation: what the model was trained for, as far as it says.

    Attributes:
        device: what computes, in words.
        lanes: how many pictures are best computed at once, where there are so many.
        consistency: corrects SR so that, reduced, it is LR; None, at first, leaves it as it is.

    Raises:
        UserError: for a tile below one pixel.
    """

    device: str
    lanes: int = 1

    def __init__(
        self,
        *,
        model: str,
        scale: int,
        halo: int | None,
        grid: int = 1,
        tile: Tile = "auto",
        tiling: Tiling = "exact",
        ensemble: bool = False,
        degradation: str = "",
    ) -> None:
        if isinstance(tile, int) and tile < 1:
            raise UserError(f"tile: {tile} pixels are too few; give 1 or more (256 is usual)")
        if tiling == "cells" and tile in ("auto", None):
            tile = CELL
        self.model, self.scale, self.halo, self.grid = model, scale, halo, grid
        self.tile, self.tiling, self.ensemble = tile, tiling, ensemble
        self.degradation = degradation
        self.consistency: Consistency | None = None
        self._most: int | None = None  # the largest tile that fitted, once one did not

    @abstractmethod
    def precision_for(self, depth: int) -> str:
        """Return what samples of so many bits are computed in."""

    def sharing(self, lanes: int) -> AbstractContextManager[Executor]:
        """Give a thread for each lane; the processor and the memory are shared out evenly."""
        return ThreadPoolExecutor(lanes)

    @abstractmethod
    def _run(self, lr: NDArray[Any], precision: str) -> Strip:
        """Enlarge a tile.

        Args:
            lr: `[h, w, 3]`; uint8, or else float32 nominally in [0, 1].
            precision: one that `precision_for` returns.

        Returns:
            `[scale·h, scale·w, 3]`, not clamped.

        Raises:
            MemoryError: the tile is too large for the device's memory.
        """

    @abstractmethod
    def _affordable(self) -> int:
        """Return how many LR pixels a tile may read, halo counted, as memory stands now."""

    def describe(self, depth: int) -> dict[str, str]:
        """Return model, precision and tiling by keyword, for a picture's metadata."""
        told = {"Model": self.model, "Precision": self.precision_for(depth), "Tile": self._words()}
        if self.ensemble:
            told["Ensemble"] = "mean of 8 turned and mirrored"
        if self.consistency:
            told["Consistency"] = self.consistency.words
        return told

    def enlarge(
        self,
        picture: NDArray[Level],
        *,
        size: Size | None = None,
        on_tile: OnTile | None = None,
    ) -> NDArray[Level]:
        """Enlarge a picture.

        Args:
            picture: [H, W, 3], of any size from 1×1 up; uint8, uint16, or float32 nominally
                in [0, 1].
            size: height and width that SR is reduced to; None leaves it as it is.
            on_tile: called after each tile with the number of SR pixels it has added.

        Returns:
            [scale·H, scale·W, 3], or of the size, of the same type; integers are clamped and
            rounded, floats not.
        """
        rows, columns = size or (picture.shape[0] * self.scale, picture.shape[1] * self.scale)
        enlarged: NDArray[Level] = np.empty((rows, columns, 3), picture.dtype)
        top = 0
        for strip in self.strips(picture, size=size, on_tile=on_tile):
            enlarged[top : top + len(strip)] = quantised(strip, picture.dtype)
            top += len(strip)
        return enlarged

    def strips(
        self,
        picture: NDArray[Any],
        *,
        size: Size | None = None,
        depth: int | None = None,
        on_tile: OnTile | None = None,
    ) -> Iterator[Strip]:
        """Enlarge a picture strip by strip, from top to bottom.

        Args:
            picture: as `enlarge` takes it, or grey `[H, W, 1]`.
            size: what SR is reduced to; None leaves it as it is.
            depth: how many bits its samples came with, if not those of its type.
            on_tile: as `enlarge` takes it.

        Yields:
            float32 `[rows, W', 3]` (grey: `[rows, W', 1]`, the mean of what equal channels become),
            nominally in [0, 1], not clamped.
        """
        height, width, channels = picture.shape
        lr = picture if picture.dtype == np.uint8 else unit(picture)
        if channels == 1:
            lr = np.broadcast_to(lr, (height, width, 3))  # equal channels, in no more memory
        job = Job(
            lr=lr,
            side=self._side(height, width),
            precision=self.precision_for(depth or 8 * picture.itemsize),
            told=on_tile or (lambda pixels: None),
        )
        if self.halo is None and self.tiling == "exact" and job.side < max(picture.shape[:2]):
            warnings.warn(
                f"{self.model}: each SR pixel depends on the whole picture; tiles of {job.side} "
                "pixels are blended and not exact",
                stacklevel=2,
            )
            made = self._blended(job)
        else:
            made = self._exact(job)
        if self.consistency:
            made = self.consistency.strips(made, unit(lr))
        if channels == 1:
            made = (strip.mean(axis=2, keepdims=True) for strip in made)
        whole = height * self.scale, width * self.scale
        return made if size in (None, whole) else resized(made, source=whole, target=size)

    def _side(self, height: int, width: int) -> int:
        """Return the side of the tiles for a picture, halo not counted."""
        if isinstance(self.tile, int):
            side = self.tile
        elif self.tile is None or height * width <= self._affordable():
            side = max(height, width)
        else:
            side = max(int(self._affordable() ** 0.5) - 2 * self._margin(), LEAST)
        return min(side, self._most or side)

    def _margin(self) -> int:
        """Return how much more than its own a tile reads on each side."""
        return OVERLAP if self.halo is None else self.halo

    def _exact(self, job: Job) -> Iterator[Strip]:
        height, width, _ = job.lr.shape
        equal = self.tiling == "exact"
        halo = (self.halo or 0) if equal else 0
        start = 0
        while start < height:
            rows = next_span(start, height, job.side, halo, grid=self.grid, equal=equal)
            shape = ((rows.stop - start) * self.scale, width * self.scale, 3)
            strip = np.empty(shape, np.float32)
            try:
                for columns in spans(width, job.side, halo, grid=self.grid, equal=equal):
                    sr = self._tile(job.lr[rows.read(), columns.read()], job.precision)
                    piece = sr[rows.keep(self.scale), columns.keep(self.scale)]
                    strip[:, columns.write(self.scale)] = piece
                    job.told(piece.shape[0] * piece.shape[1])
            except MemoryError:
                job.side = self._halved(job.side)
                continue
            yield strip
            start = rows.stop

    def _blended(self, job: Job) -> Iterator[Strip]:
        height, width, _ = job.lr.shape
        scale, overlap = self.scale, min(OVERLAP, max(job.side // 2, 1))
        cut = [*spans(height, job.side, overlap, grid=self.grid)]
        rest = np.zeros((0, width * scale, 4), np.float32)  # weighted colours, and the weights
        for rows, below in zip(cut, [*cut[1:], None], strict=True):
            sums = np.zeros(((rows.last - rows.first) * scale, width * scale, 4), np.float32)
            sums[: len(rest)] = rest
            for columns in spans(width, job.side, overlap, grid=self.grid):
                sr = self._tile(job.lr[rows.read(), columns.read()], job.precision)
                weights = np.multiply.outer(rows.ramp(scale), columns.ramp(scale))[..., None]
                place = sums[:, columns.first * scale : columns.last * scale]
                place[..., :3] += weights * sr
                place[..., 3:] += weights
                job.told((rows.stop - rows.start) * (columns.stop - columns.start) * scale**2)
            done = len(sums) if below is None else (below.first - rows.first) * scale
            yield (sums[:done, :, :3] / sums[:done, :, 3:]).astype(np.float32, copy=False)
            rest = sums[done:]

    def _tile(self, lr: NDArray[Any], precision: str) -> Strip:
        if not self.ensemble:
            return self._run(lr, precision)
        total = np.zeros((lr.shape[0] * self.scale, lr.shape[1] * self.scale, 3), np.float32)
        for turns in range(4):
            for turned, back in ((lr, slice(None)), (lr[:, ::-1], slice(None, None, -1))):
                sr = self._run(np.rot90(turned, turns), precision)
                total += np.rot90(sr, -turns)[:, back]
        total /= VIEWS
        return total

    def _halved(self, side: int) -> int:
        if side == 1:
            raise UserError(f"{self.device}: not even a tile of one pixel fits into its memory")
        self._most = side // 2
        warnings.warn(
            f"{self.device}: out of memory; going on with tiles of {self._most} pixels",
            stacklevel=2,
        )
        return self._most

    def _words(self) -> str:
        if self.tiling == "cells":
            return f"cells of {self.tile}, no halo"
        if self.tile is None:
            return "whole picture"
        tile = "as memory allows" if self.tile == "auto" else str(self.tile)
        if self.halo is None:
            return f"{tile}, blended over {2 * OVERLAP}"
        return f"{tile}, halo {self.halo}"

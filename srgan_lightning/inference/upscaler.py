"""The upscaler: a generator, made ready to enlarge pictures of any size."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.inference.generators import find_generator
from srgan_lightning.inference.pictures import Level, as_image, as_samples
from srgan_lightning.inference.tiling import Span, tiles
from srgan_lightning.networks.base import Generator
from srgan_lightning.precision import Precision, autocast, resolve_device, resolve_precision

TILE = 256


class Upscaler:
    """A generator in eval mode on a device, run tile by tile.

    A tile is read with a halo as wide as the generator's receptive field and cut at the picture's
    own borders, so the result equals that of the whole picture at once (up to the rounding of
    float arithmetic), while memory is bounded by the tile. A generator that looks at the whole
    picture (its halo is None) is given whole pictures.

    Args:
        generator: the network; it is copied as it is now, the original stays untouched.
        device: "auto" or a torch device's name.
        precision: "auto" or a precision; `resolved` says what it came to.
        tile: the largest tile in LR pixels, halo not counted; None takes pictures whole.

    Raises:
        UserError: for a device or a precision that is not to be had, or a tile below one pixel.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        device: str = "auto",
        precision: Literal["auto"] | Precision = "auto",
        tile: int | None = TILE,
    ) -> None:
        if tile is not None and tile < 1:
            raise UserError(f"tile: {tile} pixels are too few; give 1 or more ({TILE} is usual)")
        self.device = resolve_device(device)
        self.resolved = resolve_precision(precision, self.device)
        self.tile = tile
        self.scale = generator.scale
        self.halo = generator.halo
        self._generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self._generator.to(self.device).to(memory_format=self.resolved.memory_format)

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        scale: int = 4,
        device: str = "auto",
        precision: Literal["auto"] | Precision = "auto",
        tile: int | None = TILE,
    ) -> Self:
        """Build an upscaler from a generator file, a checkpoint, or a method's name (`bicubic`).

        Args:
            model: see `find_generator`.
            scale: of a method by name; a file knows its own.
            device: as the class takes it.
            precision: as the class takes it.
            tile: as the class takes it.

        Raises:
            UserError: as the class does, and for a file that holds no generator.
        """
        generator, _ = find_generator(model, scale=scale)
        return cls(generator, device=device, precision=precision, tile=tile)

    def precision_for(self, depth: int) -> Precision:
        """Return what samples of so many bits are computed in: bf16 and fp16 serve 8 bits only."""
        return self.resolved.precision if depth == 8 else "32-true"

    def enlarge(
        self, picture: NDArray[Level], *, on_tile: Callable[[int], None] | None = None
    ) -> NDArray[Level]:
        """Enlarge a picture.

        Args:
            picture: [H, W, 3], of any size from 1×1 up; uint8, uint16, or float32 nominally
                in [0, 1].
            on_tile: called after each tile with the number of SR pixels it has added.

        Returns:
            [scale·H, scale·W, 3] of the same type; integers are clamped and rounded, floats not.
        """
        height, width, _ = picture.shape
        shape = (height * self.scale, width * self.scale, 3)
        enlarged: NDArray[Level] = np.empty(shape, picture.dtype)
        precision = self.precision_for(8 * picture.itemsize)
        for rows, columns, sr in self._enlarged_tiles(as_image(picture), precision):
            enlarged[rows.write(self.scale), columns.write(self.scale)] = as_samples(sr, picture)
            if on_tile is not None:
                on_tile(sr.shape[-2] * sr.shape[-1])
        return enlarged

    def __call__(self, lr: Tensor) -> Tensor:
        """Enlarge image tensors.

        Args:
            lr: float [B, 3, H, W] in [0, 1], on any device.

        Returns:
            float32 [B, 3, scale·H, scale·W] on the upscaler's device, not clamped.
        """
        batch, channels, height, width = lr.shape
        shape = (batch, channels, height * self.scale, width * self.scale)
        enlarged = torch.empty(shape, device=self.device)
        for rows, columns, sr in self._enlarged_tiles(lr, self.resolved.precision):
            enlarged[..., rows.write(self.scale), columns.write(self.scale)] = sr
        return enlarged

    @torch.inference_mode()
    def _enlarged_tiles(
        self, lr: Tensor, precision: Precision
    ) -> Iterator[tuple[Span, Span, Tensor]]:
        height, width = lr.shape[-2:]
        if self.tile is None or self.halo is None:
            spans = tiles(height, width, max(height, width), 0)
        else:
            spans = tiles(height, width, self.tile, self.halo)
        for rows, columns in spans:
            piece = lr[..., rows.read(), columns.read()].to(self.device)
            piece = piece.float() / 255 if piece.dtype == torch.uint8 else piece.float()
            piece = piece.contiguous(memory_format=self.resolved.memory_format)
            with autocast(precision, self.device):
                sr = self._generator(piece)
            yield rows, columns, sr[..., rows.keep(self.scale), columns.keep(self.scale)].float()

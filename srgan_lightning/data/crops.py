"""Requests to batches of uint8 crops, and whole pictures to validate on."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from srgan_lightning.data.batches import TrainBatch, ValidationBatch
from srgan_lightning.data.pictures import Pixels, Source
from srgan_lightning.data.sampler import Request


class CropDataset(Dataset[TrainBatch]):
    """Cuts the crops that a `StepSampler` asks for.

    Args:
        hr: pictures, none smaller than a crop.
        lr: their partners in the same order, or None.
        crop_size: side of the HR crops, pixels; a multiple of the scale.
        scale: of the pairs; HR crops of pairs start at its multiples.
    """

    def __init__(self, *, hr: Source, lr: Source | None, crop_size: int, scale: int) -> None:
        self.hr = hr
        self.lr = lr
        self.crop_size = crop_size
        self.scale = scale

    def __len__(self) -> int:
        return len(self.hr)

    def __getitems__(self, request: Request) -> TrainBatch:
        """Cut all crops of a request; the name is the one by which a DataLoader asks."""
        count, size, step = len(request.indices), self.crop_size, 1
        low_size = size // self.scale
        hr = np.empty((count, size, size, 3), np.uint8)
        lr = None
        if self.lr is not None:
            lr, step = np.empty((count, low_size, low_size, 3), np.uint8), self.scale
        for place, index in enumerate(request.indices.tolist()):
            height, width = self.hr.sizes[index]
            positions = ((height - size) // step + 1, (width - size) // step + 1)
            top, left = (request.places[place] * positions).astype(int).tolist()
            hr[place] = self.hr.crop(index, top * step, left * step, size)
            if lr is not None and self.lr is not None:
                lr[place] = self.lr.crop(index, top, left, low_size)
        return TrainBatch(_as_images(hr), None if lr is None else _as_images(lr), request.step)


class ValidationDataset(Dataset[ValidationBatch]):
    """Whole pictures, one a batch.

    Args:
        hr: all pictures.
        lr: their partners in the same order, or None.
        indices: the pictures that are this rank's.
        crop: side of a square cut from the middle, HR pixels; None takes pictures whole.
        scale: pictures are cropped at the bottom and right to its multiples.
    """

    def __init__(
        self,
        *,
        hr: Source,
        lr: Source | None,
        indices: Sequence[int],
        crop: int | None,
        scale: int,
    ) -> None:
        self.hr = hr
        self.lr = lr
        self.indices = indices
        self.crop = crop
        self.scale = scale

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> ValidationBatch:
        if not 0 <= place < len(self):
            raise IndexError(place)
        index = self.indices[place]
        rows, columns = (self._middle(length // self.scale) for length in self.hr.sizes[index])
        lr = None
        if self.lr is not None:
            lr = _as_images(self.lr.image(index)[None, rows, columns])
        rows, columns = (
            slice(part.start * self.scale, part.stop * self.scale) for part in (rows, columns)
        )
        hr = _as_images(self.hr.image(index)[None, rows, columns])
        return ValidationBatch(hr, lr, index)

    def _middle(self, length: int) -> slice:
        """Return the part of an axis that is taken, in LR pixels."""
        taken = length if self.crop is None else min(length, self.crop // self.scale)
        start = (length - taken) // 2
        return slice(start, start + taken)


def _as_images(pixels: Pixels) -> Tensor:
    """Turn `[N, H, W, 3]` into `[N, 3, H, W]` with channels-last strides, writable."""
    return torch.from_numpy(np.require(pixels, requirements=("C", "W"))).permute(0, 3, 1, 2)

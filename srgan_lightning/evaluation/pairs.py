"""Pairs of LR and HR to measure with: LR made by a degradation, or given as files."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from srgan_lightning.degradations.base import Degradation, crop_to_multiple
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import image_size, list_images, read_rgb
from srgan_lightning.inference.pictures import to_tensor


@dataclass(frozen=True)
class BenchmarkPair:
    """A picture twice.

    Attributes:
        name: the HR file's path below its folder, without suffix.
        lr: float32 [1, 3, H, W] in [0, 1].
        hr: float32 [1, 3, scale·H, scale·W] in [0, 1].
    """

    name: str
    lr: Tensor
    hr: Tensor


class DegradedPairs:
    """The pictures of a folder, cropped to a multiple of the scale, and LR made of them.

    A degradation that draws at random draws by the seed and the picture's name, so the same
    folder always gives the same LR. Pictures are read one at a time, each time they are asked for.

    Args:
        hr: a folder of pictures.
        degradation: how LR is made.
        seed: of the draws.

    Attributes:
        degradation: as given.

    Raises:
        UserError: for a folder that is not there or holds no pictures; later, while iterating,
            for a file that cannot be read or is smaller than the scale.
    """

    def __init__(self, hr: Path, *, degradation: Degradation, seed: int = 0) -> None:
        self._files = pictures_of(hr)
        self.degradation = degradation
        self._seed = seed

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[BenchmarkPair]:
        for name, path in self._files.items():
            scale = self.degradation.scale
            hr = crop_to_multiple(to_tensor(read_rgb(path)), scale)
            if 0 in hr.shape:
                raise UserError(f"{path}: is smaller than {scale} pixels; leave it out of the set")
            draws = torch.Generator().manual_seed(_seed_of(self._seed, name))
            yield self._pair(name, hr, draws)

    def _pair(self, name: str, hr: Tensor, draws: torch.Generator) -> BenchmarkPair:
        return BenchmarkPair(name, self.degradation(hr, draws), hr)


class GivenPairs:
    """HR pictures and the LR files that belong to them, matched by name.

    `bird.png` finds `bird.png`, `birdx4.png` or `bird_x4.png` (of any picture format) in the LR
    folder. HR is cropped to the scale times LR, as the MATLAB-made sets of the literature want it.

    Args:
        hr: a folder of pictures.
        lr: a folder of their LR partners.
        scale: the factor between both.

    Raises:
        UserError: for a folder that is not there, a missing partner or a wrong size, by name.
    """

    def __init__(self, hr: Path, lr: Path, *, scale: int) -> None:
        self._scale = scale
        small = pictures_of(lr)
        self._files: dict[str, tuple[Path, Path]] = {}
        for name, path in pictures_of(hr).items():
            partner = find_partner(name, small, scale)
            if partner is None:
                raise UserError(f"{path}: has no partner named {name} or {name}x{scale} in {lr}")
            height, width = image_size(path)
            if image_size(partner) != (height // scale, width // scale):
                raise UserError(
                    f"{partner}: is {_size(image_size(partner))}; at scale {scale} the partner of "
                    f"{path} ({_size((height, width))}) must be "
                    f"{_size((height // scale, width // scale))}"
                )
            self._files[name] = (path, partner)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[BenchmarkPair]:
        for name, (path, partner) in self._files.items():
            hr, lr = to_tensor(read_rgb(path)), to_tensor(read_rgb(partner))
            yield BenchmarkPair(name, lr, crop_to_multiple(hr, self._scale))


def pictures_of(folder: Path) -> dict[str, Path]:
    """Return a folder's pictures by name (the path below the folder, without suffix).

    Raises:
        UserError: where there is no such folder, no picture in it, or two of the same name.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder; give one that holds pictures")
    files: dict[str, Path] = {}
    for path in list_images(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            raise UserError(f"{path}: differs from {files[name].name} in its suffix only; keep one")
        files[name] = path
    if not files:
        raise UserError(f"{folder}: holds no pictures; PNG, JPEG, WebP, TIFF and BMP are read")
    return files


def find_partner(name: str, files: dict[str, Path], scale: int) -> Path | None:
    """Find a picture's partner by name; sets of the literature append the scale ("0801x4")."""
    return next(
        (files[n] for n in (name, f"{name}x{scale}", f"{name}_x{scale}") if n in files), None
    )


def _seed_of(seed: int, name: str) -> int:
    return int.from_bytes(
        hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big", signed=True
    )


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"

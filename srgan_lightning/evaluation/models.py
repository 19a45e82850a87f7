"""What can be measured: anything that makes SR of a pair's LR."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.pairs import BenchmarkPair, find_partner, pictures_of
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler


class Model(typing.Protocol):
    """A method under its name: called with a pair, it answers SR, [1, 3, H, W] as large as HR."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Make SR, nominally in [0, 1], of the pair's LR alone."""


@dataclass(frozen=True, kw_only=True)
class GeneratorModel:
    """A generator, run by its upscaler.

    Attributes:
        name: what tables call it.
        upscaler: runs it.
        costs: see `cost.costs_of`.
    """

    name: str
    upscaler: TorchUpscaler
    costs: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Enlarge LR; see `Model`."""
        return self.upscaler(pair.lr)


class ReadyPictures:
    """A folder of SR pictures that some other program made, matched to HR by name.

    Args:
        folder: holds a picture named as HR's for each pair, or with the scale appended
            ("bird.png" or "birdx4.png").
        scale: as in the pictures' names.

    Raises:
        UserError: for a folder that is not there or empty; when called, for a missing picture
            or one that is not as large as HR.
    """

    def __init__(self, folder: Path, *, scale: int = 4) -> None:
        self.name = folder.name
        self._folder = folder
        self._scale = scale
        self._files = pictures_of(folder)

    def __call__(self, pair: BenchmarkPair) -> Tensor:
        """Read the pair's SR; see `Model`."""
        path = find_partner(pair.name, self._files, self._scale)
        if path is None:
            raise UserError(f"{self._folder}: has no picture named {pair.name}")
        sr = to_tensor(read_rgb(path))
        if sr.shape != pair.hr.shape:
            raise UserError(
                f"{path}: is {sr.shape[-1]}x{sr.shape[-2]} and its HR picture "
                f"{pair.hr.shape[-1]}x{pair.hr.shape[-2]}; both must be alike"
            )
        return sr

"""Pictures that crops are cut from, wherever they lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srgan_lightning.imaging.read import check_image, read_rgb

Pixels = NDArray[np.uint8]


class Picture(Protocol):
    """A picture under a name."""

    @property
    def name(self) -> str:
        """Return what is unique in its folder or store."""

    @property
    def size(self) -> tuple[int, int]:
        """Return (height, width)."""

    @property
    def decoded(self) -> bool:
        """Return whether pixels cost no decoding."""

    def pixels(self) -> Pixels:
        """Return uint8 `[H, W, 3]`, perhaps a read-only view; `UserError` if unreadable."""

    def check(self) -> None:
        """Raise a `UserError` if the pixels cannot be read, as cheaply as that can be known."""


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture file, decoded at every reading."""

    name: str
    path: Path
    size: tuple[int, int]
    decoded = False

    def pixels(self) -> Pixels:
        """Decode the file."""
        return read_rgb(self.path)

    def check(self) -> None:
        """Look through the file."""
        check_image(self.path)


@dataclass(frozen=True, slots=True)
class MemoryPicture:
    """A picture that was read once."""

    name: str
    array: Pixels
    decoded = True

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.array.shape[0], self.array.shape[1]

    def pixels(self) -> Pixels:
        """Return the array itself."""
        return self.array

    def check(self) -> None:
        """Find nothing wrong."""


@dataclass(frozen=True, slots=True)
class ResizedPicture:
    """A picture resized to a square by Lanczos's filter, at every reading."""

    picture: Picture
    side: int
    decoded = False

    @property
    def name(self) -> str:
        """The picture's name."""
        return self.picture.name

    @property
    def size(self) -> tuple[int, int]:
        """(side, side)."""
        return self.side, self.side

    def pixels(self) -> Pixels:
        """Read and resize."""
        whole = Image.fromarray(self.picture.pixels())
        return np.array(whole.resize((self.side, self.side), Image.Resampling.LANCZOS))

    def check(self) -> None:
        """Check the picture."""
        self.picture.check()


class Source:
    """Pictures by number.

    Args:
        pictures: in their order.
        rejected: names of those that were left out as unreadable or too small.

    Example:
        >>> source = Source([MemoryPicture("grey.png", np.full((4, 6, 3), 128, np.uint8))])
        >>> source.names, source.sizes, source.crop(0, 1, 2, 3).shape
        (['grey.png'], [(4, 6)], (3, 3, 3))
    """

    def __init__(self, pictures: Sequence[Picture], *, rejected: Sequence[str] = ()) -> None:
        self._pictures = list(pictures)
        self.rejected = tuple(rejected)
        self.names = [picture.name for picture in self._pictures]
        self.sizes = [picture.size for picture in self._pictures]

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def decoded(self) -> bool:
        """Whether no picture costs decoding."""
        return all(picture.decoded for picture in self._pictures)

    def image(self, index: int) -> Pixels:
        """Return a whole picture, uint8 `[H, W, 3]`, perhaps a read-only view."""
        return self._pictures[index].pixels()

    def crop(self, index: int, top: int, left: int, size: int) -> Pixels:
        """Return a square of a picture, uint8 `[size, size, 3]`, perhaps a read-only view."""
        return self.image(index)[top : top + size, left : left + size]

    def subset(self, indices: Iterable[int]) -> "Source":
        """Return the pictures of these numbers, in this order."""
        return Source([self._pictures[index] for index in indices], rejected=self.rejected)

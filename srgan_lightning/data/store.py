"""A folder of pictures in one file, so that a random crop costs no decoding.

The file is a safetensors file (one uint8 tensor `[H, W, 3]` a picture, under the picture's name),
so any reader of that format reads it. Its metadata hold the number of pictures and a SHA-256 over
the pixels and the index.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srgan_lightning.data.files import find_files
from srgan_lightning.data.pictures import Pixels
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import image_size, read_rgb
from srgan_lightning.imaging.threads import ordered_map
from srgan_lightning.imaging.write import whole_file

FORMAT = "srgan_lightning.store"
VERSION = "1"
SUFFIX = ".safetensors"

_ALIGNMENT = 64
_INDEX_ENTRY = 128  # bytes of a picture's entry in the header, its name aside, at most
_METADATA = 512


@dataclass(frozen=True, slots=True)
class Packed:
    """What `pack` did.

    Attributes:
        count: pictures in the store.
        rejected: one line a file that was left out, each with its reason.
    """

    count: int
    rejected: tuple[str, ...]


def pack(
    source: str | Path,
    store: str | Path,
    *,
    reduce: float = 1,
    tile: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Packed:
    """Pack pictures into a store; whatever interrupts it, no half store is left.

    Args:
        source: a folder or a pattern (see `find_files`).
        store: the file to write, `*.safetensors`; one that is there is replaced at the end.
        reduce: by what both sides are divided (Lanczos), 1 or more: it takes away what a camera
            and JPEG left at the finest scale.
        tile: cut each picture into tiles of about this side, pixels. Training takes every picture
            equally often, so large ones in one piece would be seen too seldom.
        progress: called with (files done, files in all).

    Raises:
        UserError: no readable picture, a wrong suffix or option, or too little space on the disk.
    """
    target = Path(store)
    if target.suffix != SUFFIX:
        raise UserError(f"{target}: a store's name ends in {SUFFIX}")
    if not 1 <= reduce < math.inf:
        raise UserError(f"reduce divides the sides by 1 or more (got {reduce:g})")
    if tile is not None and tile < 1:
        raise UserError(f"a tile has 1 pixel or more (got {tile})")
    files = find_files(str(source))
    room, needed = _needed(files, reduce, tile)
    _check_space(target, needed)

    def prepared(path: Path) -> Pixels:
        return _reduce(read_rgb(path), reduce)

    with whole_file(target) as part, part.open("wb") as file:
        file.seek(8 + room)
        index: dict[str, Any] = {}
        rejected: list[str] = []
        digest, end = hashlib.sha256(), 0
        pictures = ordered_map(prepared, (path for _, path in files))
        for done, ((name, _), picture) in enumerate(zip(files, pictures, strict=True), start=1):
            if isinstance(picture, UserError):
                rejected.append(str(picture))
            else:
                for tile_name, rows, columns in _tiles(name, picture.shape[:2], tile):
                    if tile_name in index:
                        raise UserError(f"{name}: a tile of it and another picture are {tile_name}")
                    pixels = np.ascontiguousarray(picture[rows, columns])
                    file.write(pixels.data)
                    digest.update(pixels.data)
                    index[tile_name] = _entry(pixels.shape, end)
                    end += pixels.nbytes
            if progress is not None:
                progress(done, len(files))
        if not index:
            raise UserError(f"{source}: none of its {len(files)} pictures can be read")
        metadata = {
            "format": FORMAT,
            "format_version": VERSION,
            "count": str(len(index)),
            "sha256": _checksum(digest, index),
        }
        header = json.dumps({"__metadata__": metadata, **index}).encode()
        file.seek(0)
        file.write(room.to_bytes(8, "little") + header.ljust(room))
        file.flush()
        os.fsync(file.fileno())
    return Packed(count=len(index), rejected=tuple(rejected))


class Store:
    """A store, memory-mapped.

    Args:
        path: a file that `pack` wrote.

    Raises:
        UserError: no store, of another version, or cut short.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        start, header = _read_header(self.path)
        self.metadata: dict[str, str] = header.pop("__metadata__")
        self.index: dict[str, Any] = header
        end = start + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if self.path.stat().st_size != end or str(len(header)) != self.metadata.get("count"):
            raise UserError(
                f"{self.path}: its size or index does not fit its contents; "
                "it was cut short or changed, pack it again"
            )
        self._bytes: NDArray[np.uint8] = np.asarray(np.memmap(self.path, np.uint8, "r", start))

    def __reduce__(self) -> tuple[type["Store"], tuple[Path]]:
        return Store, (self.path,)

    def pictures(self) -> list["StorePicture"]:
        """Return the pictures in the order in which they were packed."""
        return [
            StorePicture(name, self, entry["data_offsets"][0], tuple(entry["shape"][:2]))
            for name, entry in self.index.items()
        ]

    def pixels(self, offset: int, size: tuple[int, int]) -> Pixels:
        """Return the picture at an offset as a read-only view, uint8 `[H, W, 3]`."""
        height, width = size
        return self._bytes[offset : offset + height * width * 3].reshape(height, width, 3)

    def verify(self) -> None:
        """Read everything and compare the checksum.

        Raises:
            UserError: it is not what was packed.
        """
        digest = hashlib.sha256()
        for start in range(0, len(self._bytes), 1 << 24):
            digest.update(self._bytes[start : start + (1 << 24)].data)
        if _checksum(digest, self.index) != self.metadata.get("sha256"):
            raise UserError(f"{self.path}: its checksum is wrong; pack it again")


@dataclass(frozen=True, slots=True)
class StorePicture:
    """A picture in a store."""

    name: str
    store: Store
    offset: int
    size: tuple[int, int]
    decoded = True

    def pixels(self) -> Pixels:
        """View the mapped file."""
        return self.store.pixels(self.offset, self.size)

    def check(self) -> None:
        """Find nothing wrong: a store was checked when it was opened."""


def verify(path: str | Path) -> int:
    """Check a store's checksum and return how many pictures it has; `UserError` if wrong."""
    store = Store(path)
    store.verify()
    return len(store.index)


def _entry(shape: tuple[int, ...], start: int) -> dict[str, Any]:
    end = start + int(np.prod(shape))
    return {"dtype": "U8", "shape": list(shape), "data_offsets": [start, end]}


def _checksum(pixels: "hashlib._Hash", index: Mapping[str, Any]) -> str:
    digest = pixels.copy()
    digest.update(json.dumps(index, sort_keys=True).encode())
    return digest.hexdigest()


def _reduce(picture: Pixels, factor: float) -> Pixels:
    if factor == 1:
        return picture
    height, width = _reduced(picture.shape[:2], factor)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def _reduced(size: tuple[int, ...], factor: float) -> tuple[int, int]:
    height, width = (max(1, round(side / factor)) for side in size)
    return height, width


def _tiles(
    name: str, size: tuple[int, ...], tile: int | None
) -> Iterator[tuple[str, slice, slice]]:
    """Cut a picture into nearly equal parts; yield their names and places."""
    height, width = size
    rows, columns = (1 if tile is None else max(1, round(side / tile)) for side in size)
    for row, column in np.ndindex(rows, columns):
        path = PurePosixPath(name)
        stem = path.stem if rows * columns == 1 else f"{path.stem}_{row}_{column}"
        yield (
            str(path.with_name(stem + path.suffix)),
            slice(height * row // rows, height * (row + 1) // rows),
            slice(width * column // columns, width * (column + 1) // columns),
        )


def _needed(files: list[tuple[str, Path]], reduce: float, tile: int | None) -> tuple[int, int]:
    """Return the bytes that the index may take, aligned, and those of all pixels."""
    room, needed = _METADATA, 0
    sizes = ordered_map(image_size, (path for _, path in files))
    for (name, _), size in zip(files, sizes, strict=True):
        if not isinstance(size, UserError):
            height, width = _reduced(size, reduce)
            needed += 3 * height * width
            for tile_name, _, _ in _tiles(name, (height, width), tile):
                room += len(json.dumps(tile_name)) + _INDEX_ENTRY
    return room + -(room + 8) % _ALIGNMENT, needed


def _check_space(target: Path, needed: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise UserError(
            f"{target}: needs {needed / 1e9:.1f} GB but only {free / 1e9:.1f} GB are free there"
        )


def _read_header(path: Path) -> tuple[int, dict[str, Any]]:
    """Return where the pixels start and the parsed header, with `__metadata__` in it."""
    wrong = UserError(f"{path}: no picture store; make one with `srgan prepare FOLDER -o {path}`")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > path.stat().st_size:
                raise wrong
            header = json.loads(file.read(length))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise wrong from None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise wrong
    if metadata.get("format_version") != VERSION:
        raise UserError(
            f"{path}: a store of version {metadata.get('format_version')}, "
            f"this program reads version {VERSION}; pack it again"
        )
    return 8 + length, header

"""Archives of data sets, unpacked whole or not at all, and never outside their folder."""

import gzip
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from srgan_lightning.download import demand_space
from srgan_lightning.errors import UserError

Progress = Callable[[int, int], None]
"""Called with the bytes unpacked so far and those of the whole."""

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


class Member(NamedTuple):
    """A regular file in an archive."""

    path: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path, root: Path, *, folder: str, progress: Progress = lambda done, total: None
) -> None:
    """Unpack one folder of an archive to `root/folder`.

    The files gather in a hidden folder, which takes its name when the last one is written.

    Args:
        archive: zip, tar or tar.gz.
        root: where the folder goes; it must exist.
        folder: a folder in the archive, "DIV2K_train_LR_bicubic/X4".
        progress: called after each file.

    Raises:
        UserError: if the archive is damaged, lacks the folder, or has a member that is a link, a
            device or a path out of the archive; or if the disk is too small.
    """
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=root) as scratch:
        try:
            with _members(archive) as members:
                wanted = [member for member in members if member.path.is_relative_to(folder)]
                total = sum(member.size for member in wanted)
                demand_space(root, total)
                done = 0
                for member in wanted:
                    target = Path(scratch, member.path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with member.open() as source, target.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                    done += member.size
                    progress(done, total)
        except DAMAGE as error:
            raise UserError(
                f"{archive} is damaged ({error}): delete it and {archive.name}.sha256, "
                "then run the same command again"
            ) from None
        if not wanted:
            raise UserError(
                f"{archive} has no folder {folder}: it is another archive than the one expected"
            )
        target = root / folder
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(scratch, folder).replace(target)


@contextmanager
def _members(archive: Path) -> Iterator[list[Member]]:
    """Open an archive and list its regular files, or refuse the whole of it."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield list(_zipped(archive, packed))
    else:
        with tarfile.open(archive) as taped:
            yield list(_taped(archive, taped))


def _zipped(archive: Path, packed: zipfile.ZipFile) -> Iterator[Member]:
    for info in packed.infolist():
        path = _inside(archive, info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refusal(archive, info.filename)
        if not info.is_dir():
            yield Member(path, info.file_size, partial(packed.open, info))


def _taped(archive: Path, taped: tarfile.TarFile) -> Iterator[Member]:
    for info in taped:
        path = _inside(archive, info.name)
        if not (info.isfile() or info.isdir()):
            raise _refusal(archive, info.name)
        if info.isfile():
            yield Member(path, info.size, partial(_extract, taped, info))


def _extract(taped: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = taped.extractfile(info)
    assert file is not None  # only for members that are no regular files
    return file


def _inside(archive: Path, name: str) -> PurePosixPath:
    """Return a member's path, if it stays below the folder that it is unpacked to."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise _refusal(archive, name)
    return path


def _refusal(archive: Path, name: str) -> UserError:
    return UserError(
        f"{archive} holds {name!r}, a link or a path out of the archive: it was not unpacked; "
        "get it from its own source"
    )

"""Standard input and output in the place of files."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from srgan_lightning.errors import UserError

PIPE = "-"
_KINDS = {b"SIMPLE": ".fits", b"II*\0": ".tif", b"MM\0*": ".tif", b"II+\0": ".tif"}


@contextlib.contextmanager
def piped(inputs: list[Path], output: Path | None) -> Iterator[tuple[list[Path], Path | None]]:
    """Lend files in the place of `-`: standard input is read into one, standard output told one.

    What goes to standard output is TIFF for TIFF, FITS for FITS, else PNG; it is written when the
    block has ended well.

    Args:
        inputs: paths, among them perhaps `-`.
        output: a path, or `-`, or None.

    Raises:
        UserError: for `-` among the inputs without an output, or among several inputs with output
            `-`; or nothing in standard input.
    """
    if Path(PIPE) not in inputs and output != Path(PIPE):
        yield inputs, output
        return
    if output is None:
        raise UserError("-: what comes from standard input needs -o")
    if output == Path(PIPE) and len(inputs) != 1:
        raise UserError("-o -: one picture goes to standard output, and these are several")
    with tempfile.TemporaryDirectory(prefix="srgan-") as name:
        folder = Path(name)
        files = [_stdin(folder) if path == Path(PIPE) else path for path in inputs]
        if output != Path(PIPE):
            yield files, output
            return
        kind = files[0].suffix.lower()
        kind = {".tiff": ".tif", ".fit": ".fits", ".fts": ".fits"}.get(kind, kind)
        target = folder / f"stdout{kind if kind in ('.tif', '.fits') else '.png'}"
        yield files, target
        if target.is_file():
            with target.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def _stdin(folder: Path) -> Path:
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        start = file.read(6)
    if not start:
        raise UserError("-: nothing came from standard input")
    kinds = (suffix for magic, suffix in _KINDS.items() if start.startswith(magic))
    return path.rename(path.with_suffix(next(kinds, ".png")))

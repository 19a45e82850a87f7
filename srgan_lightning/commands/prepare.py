"""`srgan prepare`: a folder, or a data set known by name, into one memory-mapped store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    from srgan_lightning.data.catalog import Archive, Dataset


def prepare(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder of pictures, or one of div2k, flickr2k, set5, set14, bsd100, urban100 "
            "to download; with --check, a store.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="STORE",
            help="The store to write, *.safetensors; for a data set of several parts a folder "
            "(default: ROOT).",
        ),
    ] = None,
    root: Annotated[
        Path,
        typer.Option(help="Where archives are kept and unpacked: the data.root of the presets."),
    ] = Path("data"),
    lr: Annotated[
        bool, typer.Option("--lr", help="Also take the data set's own x4 low-resolution pictures.")
    ] = False,
    reduce: Annotated[
        float,
        typer.Option(
            help="Divide both sides of a folder's pictures by this (photographs: 2 or 3)."
        ),
    ] = 1,
    tile: Annotated[
        int | None,
        typer.Option(
            help="Cut a folder's pictures into tiles of about this side in pixels, so that "
            "large ones are seen as often as their area asks for."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Pack again what is packed already.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare a store with its checksum, write nothing.")
    ] = False,
) -> None:
    """Pack pictures into a store that training crops from without decoding.

    srgan prepare photos/ -o photos.safetensors

    srgan prepare camera/ -o camera.safetensors --reduce 3 --tile 480

    srgan prepare div2k --root data/

    srgan train data=folder data.root=photos.safetensors

    A download that broke off goes on where it stopped.

    Without a network, put the archive into ROOT by hand and run it again.
    """
    if check:
        _check(Path(source))
    elif Path(source).is_dir():
        if output is None:
            raise UserError(
                f"say where the store of {source} goes: -o {Path(source).name}.safetensors"
            )
        if output.exists() and not overwrite:
            raise UserError(f"{output} exists: choose another name or add --overwrite")
        _pack(Path(source), output, reduce=reduce, tile=tile)
    else:
        from srgan_lightning.data.catalog import find_dataset

        dataset = find_dataset(source)
        if reduce != 1 or tile is not None:
            raise UserError(f"--reduce and --tile are for folders; {source} stays as published")
        _prepare_dataset(source, dataset, output or root, root, lr=lr, overwrite=overwrite)


def _prepare_dataset(
    name: str, dataset: "Dataset", output: Path, root: Path, *, lr: bool, overwrite: bool
) -> None:
    from srgan_lightning.data.store import SUFFIX

    parts = dataset.hr + (dataset.lr if lr else ())
    if output.suffix == SUFFIX and len(parts) > 1:
        raise UserError(f"{name} becomes {len(parts)} stores: -o names the folder for them")
    typer.echo(dataset.title)
    for part in parts:
        store = output if output.suffix == SUFFIX else output / f"{name}_{part.name}{SUFFIX}"
        if store.exists() and not overwrite:
            typer.echo(f"{store} is there already")
            continue
        if not (root / part.folder).is_dir():
            _fetch(part.archive, root)
        _pack(root / part.folder, store)


def _fetch(archive: "Archive", root: Path) -> None:
    """Download an archive, unless it lies there, and unpack it."""
    from srgan_lightning.data.unpack import unpack
    from srgan_lightning.download import download, hold_checksum

    path = root / archive.file
    if not path.exists():
        with _bar(f"download {archive.file}") as progress:
            download(archive.url, path, progress=progress)
    hold_checksum(path)
    with _bar(f"unpack {archive.file}") as progress:
        unpack(path, root, folder=archive.folder, progress=progress)


def _pack(folder: Path, store: Path, *, reduce: float = 1, tile: int | None = None) -> None:
    from srgan_lightning.data.store import pack

    with _bar(f"pack {store.name}", counted=True) as progress:
        packed = pack(folder, store, reduce=reduce, tile=tile, progress=progress)
    for reason in packed.rejected:
        typer.echo(f"left out: {reason}", err=True)
    typer.echo(f"{store}: {packed.count} pictures, {store.stat().st_size / 1e6:,.1f} MB")


def _check(store: Path) -> None:
    from srgan_lightning.data.store import verify

    typer.echo(f"{store}: {verify(store)} pictures, intact")


@contextmanager
def _bar(title: str, *, counted: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """Show progress on stderr; yields a function of what is done and of the whole."""
    from rich import progress
    from rich.console import Console

    counts: tuple[progress.ProgressColumn, ...] = (progress.MofNCompleteColumn(),)
    if not counted:
        counts = (progress.DownloadColumn(), progress.TransferSpeedColumn())
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        *counts,
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

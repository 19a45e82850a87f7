"""`srgan upscale`: enlarge picture files with a trained generator."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from srgan_lightning.inference.files import Task
    from srgan_lightning.inference.fits import Flux
    from srgan_lightning.inference.provenance import Provenance


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Picture files, and folders of them.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A folder; for a single picture also a file: .png .jpg .webp .tif .bmp.",
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="generator.safetensors or a .ckpt, which `srgan train` writes; another program's "
            ".pth (RRDBNet, MSRResNet, Compact, SPAN); or a method without weights "
            "(bicubic, lanczos, total_variation). FITS by itself is enlarged by lanczos.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1, mps; auto takes a GPU if there is one.")
    ] = "auto",
    precision: Annotated[
        Literal["auto", "32-true", "bf16-mixed", "16-mixed"],
        typer.Option(help="What to compute in; auto measures what is fast here."),
    ] = "auto",
    tile: Annotated[
        int,
        typer.Option(min=0, help="Largest tile in input pixels, bounds memory; 0: no tiles."),
    ] = 256,
    flux: Annotated[
        Literal["keep", "conserve"],
        typer.Option(help="FITS: keep surface brightness, or conserve sums (values / scale²)."),
    ] = "keep",
    suffix: Annotated[str, typer.Option(help="Put behind each output's name.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace older outputs.")] = False,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin", metavar="MODULE", help="Import a module that registers the model's network."
        ),
    ] = None,
) -> None:
    """Enlarge pictures with a trained generator.

    Reads PNG, JPEG, WebP, TIFF, BMP and FITS; into a folder it writes PNG, but TIFF for TIFF and
    FITS for FITS. Bit depth,
    grey, opacity, colour profile, EXIF and text are kept, and the model's name and hash are added.
    A folder's pictures keep their subfolders. A file that cannot be read is reported at the end
    (exit status 1), and the others are done.

    Example: srgan upscale holiday.jpg photos/ -o enlarged --model generator.safetensors
    """
    from rich.console import Console

    from srgan_lightning.config import import_plugins
    from srgan_lightning.inference.files import plan
    from srgan_lightning.inference.provenance import Provenance
    from srgan_lightning.inference.upscaler import Upscaler

    import_plugins(plugins or ())
    tasks = plan(inputs, output, suffix=suffix, overwrite=overwrite)
    model = model or _default_model(tasks)
    upscaler = Upscaler.load(model, device=device, precision=precision, tile=tile or None)
    console = Console(stderr=True)
    start = time.perf_counter()
    pixels, failures = _enlarge_all(tasks, Provenance(model, upscaler), flux, console)
    seconds = time.perf_counter() - start
    done = len(tasks) - len(failures)
    megapixels = pixels / 1e6
    typer.echo(
        f"{done} of {len(tasks)} pictures enlarged to {output}: {megapixels:.1f} MP "
        f"in {seconds:.1f} s ({megapixels / seconds:.2f} MP/s, {upscaler.resolved.precision})"
    )
    for failure in failures:
        typer.echo(f"srgan: not enlarged: {failure}", err=True)
    if failures:
        raise typer.Exit(1)


def _default_model(tasks: Sequence[Task]) -> Path:
    from srgan_lightning.imaging.fits import is_fits

    if not all(is_fits(task.source) for task in tasks):
        raise UserError("--model: is missing; pictures want one, FITS alone is done by lanczos")
    return Path("lanczos")


def _pixels(source: Path) -> int:
    from srgan_lightning.imaging.fits import fits_pixels, is_fits
    from srgan_lightning.imaging.read import image_size

    if is_fits(source):
        return fits_pixels(source)
    height, width = image_size(source)
    return height * width


def _enlarge_all(
    tasks: Sequence[Task], provenance: Provenance, flux: Flux, console: Console
) -> tuple[int, list[UserError]]:
    """Enlarge what can be read; return the SR pixels made and what went wrong."""
    failures: list[UserError] = []
    readable: list[tuple[Task, int]] = []
    for task in tasks:
        try:
            readable.append((task, _pixels(task.source) * provenance.upscaler.scale**2))
        except UserError as error:
            failures.append(error)
    pixels = seen = 0
    with _progress(console) as progress:
        bar = progress.add_task("", total=sum(area for _, area in readable), rate="")
        for task, area in readable:
            progress.update(bar, description=task.source.name)
            try:
                _enlarge_one(task, provenance, flux, progress, bar)
                pixels += area
            except UserError as error:
                failures.append(error)
            seen += area
            progress.update(bar, completed=seen)
    return pixels, failures


def _enlarge_one(
    task: Task, provenance: Provenance, flux: Flux, progress: Progress, bar: TaskID
) -> None:
    from srgan_lightning.imaging.decode import read_document
    from srgan_lightning.imaging.encode import write_document
    from srgan_lightning.imaging.fits import is_fits
    from srgan_lightning.inference.documents import enlarge_document
    from srgan_lightning.inference.fits import enlarge_fits

    def advance(pixels: int) -> None:
        progress.advance(bar, pixels)
        speed = progress.tasks[0].speed
        progress.update(bar, rate=f"{speed / 1e6:.2f} MP/s" if speed else "")

    upscaler = provenance.upscaler
    try:
        if is_fits(task.source):
            told = provenance.of(32)
            enlarge_fits(
                task.source, task.target, upscaler, provenance=told, flux=flux, on_tile=advance
            )
            return
        document = enlarge_document(read_document(task.source), upscaler, on_tile=advance)
        write_document(task.target, document, provenance=provenance.of(document.depth))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UserError(f"{task.target}: cannot be written ({reason or error})") from None


def _progress(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )

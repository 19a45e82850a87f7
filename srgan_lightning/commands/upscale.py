"""`srgan upscale`: enlarge picture files with a trained generator."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from srgan_lightning.commands.options import FILES, Flux, Overwrite
from srgan_lightning.errors import UserError

MODEL, SIZE, COMPUTING = "Model", "Size", "Computing"
AUTO = "auto"


def upscale(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...",
            help="Picture files, folders of them, patterns ('photos/**/*.jpg'), or - for standard "
            "input.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A folder; for a single picture also a file (.png .jpg .webp .tif .bmp .fits .gif "
            ".mp4 .mkv), or - for standard output. Not given: beside each picture, as NAME_sr.png.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="A name that `srgan models` lists; generator.safetensors or a .ckpt, which `srgan "
            "train` writes; a .onnx of `srgan export`; another program's .pth (RRDBNet, MSRResNet, "
            "Compact, SPAN); https://… or hf://owner/name; or a method without weights (bicubic, "
            "lanczos, total_variation). auto: cosmic for FITS, photo-real for JPEG, else "
            "photo-gan.",
            rich_help_panel=MODEL,
        ),
    ] = AUTO,
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble",
            help="Average over 8 ways of turning and mirroring: a little better, 8 times as long.",
            rich_help_panel=MODEL,
        ),
    ] = False,
    consistency: Annotated[
        bool,
        typer.Option(
            "--consistency",
            help="Correct the result so that, reduced, it is the input (back-projection).",
            rich_help_panel=MODEL,
        ),
    ] = False,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin",
            metavar="MODULE",
            help="Import a module that registers the model's network.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            help="Enlarge the sides by this; at most what the model does.", rich_help_panel=SIZE
        ),
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Width of the result in pixels.", rich_help_panel=SIZE)
    ] = None,
    height: Annotated[
        int | None, typer.Option(help="Height of the result in pixels.", rich_help_panel=SIZE)
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(
            metavar="WxH", help="Fill such a box as far as the shape allows.", rich_help_panel=SIZE
        ),
    ] = None,
    backend: Annotated[
        Literal["auto", "torch", "onnx"],
        typer.Option(
            help="auto: ONNX Runtime for .onnx, and for a small picture by a model of the box, "
            "where it starts sooner; else torch.",
            rich_help_panel=COMPUTING,
        ),
    ] = "auto",
    device: Annotated[
        str,
        typer.Option(
            help="auto, cpu, cuda, cuda:1, mps; for .onnx also another execution provider's name. "
            "auto takes a GPU if there is one.",
            rich_help_panel=COMPUTING,
        ),
    ] = "auto",
    precision: Annotated[
        Literal["auto", "32-true", "bf16-mixed", "16-mixed"],
        typer.Option(
            help="What torch computes 8-bit pictures in; auto measures what is fast here.",
            rich_help_panel=COMPUTING,
        ),
    ] = "auto",
    tile: Annotated[
        str,
        typer.Option(
            metavar="auto|N",
            help="Largest tile in input pixels, bounds memory; 0: none; auto: as memory allows.",
            rich_help_panel=COMPUTING,
        ),
    ] = "auto",
    tiling: Annotated[
        Literal["exact", "cells"],
        typer.Option(
            help="exact: tiles leave no seams. cells: put side by side (96 pixels each, if --tile "
            "says nothing else), to compare with.",
            rich_help_panel=COMPUTING,
        ),
    ] = "exact",
    suffix: Annotated[
        str, typer.Option(help="Put behind each output's name.", rich_help_panel=FILES)
    ] = "",
    overwrite: Overwrite = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Leave outputs that are there, do the rest.", rich_help_panel=FILES
        ),
    ] = False,
    frames: Annotated[
        bool,
        typer.Option(
            "--frames",
            help="Video: write its pictures into a folder of its name.",
            rich_help_panel=FILES,
        ),
    ] = False,
    fps: Annotated[
        str | None,
        typer.Option(
            metavar="N[/M]",
            help="A folder to a video (-o film.mp4): pictures a second.",
            rich_help_panel=FILES,
        ),
    ] = None,
    flux: Flux = "keep",
) -> None:
    """Enlarge pictures with a trained generator.

    Without options it takes weights of the box and writes NAME_sr.png beside each picture. It reads
    PNG, JPEG, WebP, TIFF, BMP, GIF, FITS and video; into a folder it writes PNG, but TIFF, FITS,
    animations and videos stay what they are. Bit depth, grey, opacity, colour profile, EXIF
    and text are kept, and the model's name and hash are added. Memory is bounded by the tile: PNG
    and TIFF are written as they come. A folder's files keep their subfolders. A file that cannot be
    read is reported at the end (exit status 1), and the others are done; after an interruption
    --resume does what is missing.

    Example: srgan upscale holiday.jpg

    Example: srgan upscale holiday.jpg photos/ -o enlarged --model generator.safetensors
    """
    from srgan_lightning.allocator import keep_freed_memory
    from srgan_lightning.commands.enlarging import areas_of, enlarge
    from srgan_lightning.inference.choice import CHOICES, choose, words_of
    from srgan_lightning.inference.files import plan
    from srgan_lightning.inference.load import load_upscaler
    from srgan_lightning.inference.pipeline import Pipeline
    from srgan_lightning.inference.pipes import piped
    from srgan_lightning.inference.size import Wanted

    if plugins:
        from srgan_lightning.config import import_plugins

        import_plugins(plugins)
    if overwrite and resume:
        raise UserError("--overwrite and --resume: exclude each other")
    wanted = Wanted(scale=scale, width=width, height=height, fit=_box(fit))
    present: Any = "overwrite" if overwrite else "resume" if resume else "refuse"
    with piped(inputs, output) as (sources, target), _terminable():
        tasks = plan(sources, target, suffix=suffix, frames=frames, present=present)
        if not tasks:
            typer.echo(f"{output or 'beside them'}: all is there already", err=True)
            return
        kinds = choose(tasks) if model == AUTO else {"": tasks}
        if model == AUTO:
            typer.echo(words_of(kinds), err=True)
        failures = []
        for kind, group in kinds.items():
            upscaler = load_upscaler(
                CHOICES[kind] if kind else model,
                backend=backend,
                device=device,
                precision=precision,
                tile=_tile(tile),
                tiling=tiling,
                ensemble=ensemble,
                consistency=consistency,
                pixels=sum(areas_of(group)[0].values()),
            )
            if kind:
                upscaler.model += f", chosen by auto for {kind}"
            if upscaler.device == "cpu":
                keep_freed_memory()  # strips come and go by the hundred megabytes
            pipeline = Pipeline(upscaler=upscaler, wanted=wanted, flux=flux, rate=_rate(fps))
            failures += enlarge(group, pipeline, output)
    if failures:
        raise typer.Exit(1)


def _tile(text: str) -> Any:
    if text == "auto":
        return text
    if not text.isdecimal():
        raise UserError(f"--tile: {text!r} is neither auto nor a number of pixels")
    return int(text) or None


def _box(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise UserError(f"--fit: {text!r} is no box; say it as 1920x1080")
    return int(sides[0]), int(sides[1])


def _rate(text: str | None) -> Any:
    from fractions import Fraction

    try:
        rate = None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate is not None and rate <= 0:
        raise UserError(f"--fps: {text!r} is no rate; say it as 25 or 30000/1001")
    return rate


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the command as an exception does, so that unfinished files are removed."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

"""`srgan blend`: a network between two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from srgan_lightning.errors import UserError


def blend(
    first: Annotated[str, typer.Argument(metavar="A", help="A generator file; alpha 0 is this.")],
    second: Annotated[
        str, typer.Argument(metavar="B", help="One of the same network; alpha 1 is this.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A .safetensors file, or a .pth for other programs; with --sweep a folder.",
        ),
    ],
    alpha: Annotated[
        float | None, typer.Option(help="B's part, from 0 to 1; A has the rest.")
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Several alphas: 0,0.2,0.4,0.6,0.8,1; a file for each."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace older outputs.")] = False,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin", metavar="MODULE", help="Import a module that registers the network."
        ),
    ] = None,
) -> None:
    """Interpolate the weights of two networks: (1 - alpha) A + alpha B.

    Between one trained for PSNR and its GAN lies what trades artefacts for sharpness (ESRGAN,
    section 3.4). A and B are what `srgan upscale --model` takes.

    Example: srgan blend photo-psnr photo-gan --alpha 0.5 -o between.safetensors

    Example: srgan blend generator-pixel.safetensors generator.safetensors --alpha 0.8 -o soft.pth

    Example: srgan blend A.safetensors B.safetensors --sweep 0,0.25,0.5,0.75,1 -o curve
    """
    if (alpha is None) == (sweep is None):
        raise UserError("say either --alpha, for one network, or --sweep, for several")
    if sweep is not None:
        targets = {output / f"alpha_{each:.2f}.safetensors": each for each in _alphas(sweep)}
    else:
        assert alpha is not None
        targets = {output: _checked(alpha, "--alpha")}
    _check_targets(targets, overwrite=overwrite)

    from srgan_lightning.config import import_plugins
    from srgan_lightning.networks.blend import Blend

    import_plugins(plugins or ())
    between = Blend(first, second)
    for path, each in targets.items():
        try:
            between.write(path, each)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error})") from None
        typer.echo(f"{path}: {1 - each:.4g} {Path(first).name} + {each:.4g} {Path(second).name}")


def _alphas(sweep: str) -> list[float]:
    alphas = []
    for text in sweep.split(","):
        try:
            each = _checked(float(text), "--sweep")
        except ValueError:
            raise UserError(f"--sweep: {text!r} is no number; say 0,0.25,0.5,0.75,1") from None
        if round(each, 2) != each:
            raise UserError(
                f"--sweep: {text.strip()} has more than the two digits of a file's name"
            )
        alphas.append(each)
    return alphas


def _checked(alpha: float, option: str) -> float:
    if not 0 <= alpha <= 1:
        raise UserError(f"{option}: must be from 0 (all A) to 1 (all B) (got {alpha:g})")
    return alpha


def _check_targets(targets: dict[Path, float], *, overwrite: bool) -> None:
    for path in targets:
        if path.suffix not in (".safetensors", ".pth"):
            raise UserError(f"{path}: name a .safetensors or a .pth file; --sweep takes a folder")
        if path.exists() and not overwrite:
            raise UserError(f"{path}: is there already; --overwrite replaces it")

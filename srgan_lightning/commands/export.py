"""`srgan export`: a generator for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    from srgan_lightning.export.write import Exported


def export(
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT",
            help="A .ckpt or generator.safetensors of `srgan train`, another program's .pth, or a "
            "name that `srgan models` lists.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file; model.md is written beside it.")
    ],
    kind: Annotated[
        Literal["onnx", "safetensors"],
        typer.Option("--format", help="safetensors is this program's generator file."),
    ] = "onnx",
    half: Annotated[
        bool, typer.Option("--fp16", help="Compute in float16; input and output are too.")
    ] = False,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Convolutions in 8-bit integers, calibrated on photographs."),
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="HR photographs for --int8; the default are packaged ones.",
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="uint8 RGB [B, H, W, 3] in and out: no preparation."),
    ] = False,
    license_: Annotated[
        str | None, typer.Option("--license", help="Of the weights, to be written down.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace older outputs.")] = False,
    track: Annotated[
        bool, typer.Option("--wandb", help="Log as a wandb artifact that the run's led to.")
    ] = False,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin", metavar="MODULE", help="Import a module that registers the network."
        ),
    ] = None,
) -> None:
    """Export a trained generator, as ONNX or as a generator file, with a model card.

    An ONNX file takes any batch, height and width, and is only left if ONNX Runtime agrees with
    PyTorch on photographs of sizes that the exporter has not seen: within 1e-4 in float32, to 50 dB
    in float16, to 40 dB in int8. Needs the extra onnx.

    Example: srgan export outputs/quickstart/RUN/checkpoints/best.ckpt -o model.onnx
    """
    if kind != "onnx" and (half or int8 or whole):
        raise UserError("--fp16, --int8 and --whole are of ONNX files; leave out --format")
    if half and int8:
        raise UserError("--fp16 and --int8 exclude each other; give one of them")
    if calibration is not None and not int8:
        raise UserError("--calibration is for --int8; give both or neither")

    from srgan_lightning.config import import_plugins
    from srgan_lightning.export.write import UNSTATED, export_onnx, export_safetensors

    import_plugins(plugins or ())
    terms = license_ or UNSTATED
    if kind == "onnx":
        exported = export_onnx(
            checkpoint,
            output,
            precision="float16" if half else "int8" if int8 else "float32",
            calibration=calibration,
            whole=whole,
            license=terms,
            overwrite=overwrite,
        )
        _show_parity(exported)
    else:
        exported = export_safetensors(checkpoint, output, license=terms, overwrite=overwrite)
    description = exported.description
    megabytes = exported.model.stat().st_size / 1e6
    typer.echo(f"{exported.model}: {description.name} x{description.scale}, {megabytes:.1f} MB")
    typer.echo(f"{exported.card}: the model card")
    if track:
        from srgan_lightning.tracking.lineage import log_export

        log_export(Path(checkpoint), exported.model, exported.card)


def _show_parity(exported: Exported) -> None:
    import rich
    from rich.table import Table

    description = exported.description
    table = Table(title=f"ONNX Runtime ({description.precision}) against PyTorch (float32)")
    for heading in ("batch x height x width", "largest difference", "PSNR"):
        table.add_column(heading, justify="right")
    for row in description.parity:
        table.add_row(*row.cells)
    rich.print(table)

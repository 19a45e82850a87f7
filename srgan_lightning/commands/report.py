"""`srgan report`: one HTML file of runs, evaluations and sweeps."""

from pathlib import Path
from typing import Annotated

import typer

from srgan_lightning.errors import UserError


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...",
            help="Folders of `srgan train` (also -m) and `srgan evaluate`, in any number.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file to write.")
    ] = Path("report.html"),
    title: Annotated[str, typer.Option(help="The heading.")] = "Super-resolution report",
    pictures: Annotated[
        int, typer.Option(min=0, help="The most pictures to compare, of each table.")
    ] = 8,
) -> None:
    r"""Show runs, evaluations and sweeps in one HTML file that needs no network.

    It holds tables that sort, a perception-distortion chart, learning curves,

    and for each picture a slider between two methods: drag, wheel, double click.

    Of a sweep, also a running one: the ranking, parallel coordinates, what each value explains.

    Methods share a table if one protocol measured them on the same pictures.

    The slider needs the pictures that an evaluation saved:

    srgan evaluate 'model=\[bicubic,A.safetensors]' save_pictures=true

    srgan report outputs/evaluate/* outputs/quickstart/* -o report.html
    """
    from rich.console import Console

    from srgan_lightning.report import write_report

    if output.is_dir():
        raise UserError(f"{output}: is a folder; -o names the HTML file to write")
    write_report(folders, output, title=title, pictures=pictures, console=Console(stderr=True))
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, open it in a browser")

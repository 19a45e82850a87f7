"""Options that several commands share, in the same words."""

from typing import Annotated, Literal

import typer

FILES = "Files"
Flux = Annotated[
    Literal["keep", "conserve"],
    typer.Option(
        help="FITS: keep surface brightness, or conserve sums (values / scale²).",
        rich_help_panel=FILES,
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace older outputs.", rich_help_panel=FILES)
]

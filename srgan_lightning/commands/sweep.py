"""`srgan sweep`: what has become of a sweep, and going on with it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Go on with a sweep.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep the sub-command's name even while there is one only."""


@app.command()
def resume(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that `srgan train -m` filled.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[hydra.launcher.KEY=VALUE]...", help="Other launcher options."),
    ] = None,
) -> None:
    """Run what is missing or failed, from the last checkpoints, as the sweep was begun."""
    from srgan_lightning.commands.train import task
    from srgan_lightning.config import run_application
    from srgan_lightning.sweeps.again import resume_arguments
    from srgan_lightning.sweeps.plugins import register_plugins

    arguments = resume_arguments(folder, overrides or [])
    register_plugins()
    run_application("train", task, arguments)

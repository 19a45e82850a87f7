"""`srgan sweep`: how a sweep stands, and going on with it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look at a sweep, go on with it.", no_args_is_help=True)


@app.command()
def status(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that `srgan train -m` fills.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Show each job: finished, running, waiting, pruned or failed, how far, and its figures."""
    import json

    from rich.console import Console

    from srgan_lightning.sweeps.overview import look
    from srgan_lightning.sweeps.status import as_values, print_status

    overview = look(folder)
    if as_json:
        typer.echo(json.dumps(as_values(overview), indent=1))
    else:
        print_status(overview, Console(highlight=False))


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

"""`srgan dashboard`: the project's workspace in wandb."""

from pathlib import Path
from typing import Annotated

import typer


def dashboard(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The specification to write.")
    ] = Path("dashboard.json"),
    sweep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A sweep; parallel coordinates show what it varies."),
    ] = None,
    project: Annotated[str, typer.Option(help="wandb's project.")] = "srgan_lightning",
    entity: Annotated[
        str | None, typer.Option(help="wandb's user or team; the default is who is logged in.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--publish", help="Write it to wandb, which needs an account.")
    ] = False,
) -> None:
    """Lay out the project's wandb workspace; --publish sends it.

    Losses, the stability of the game, PSNR, SSIM and LPIPS, perception against distortion,

    pictures, and parallel coordinates of a sweep. Without --publish nothing leaves this machine:

    the specification is saved. Needs the extra dashboard.
    """
    from srgan_lightning.imaging.write import whole_file
    from srgan_lightning.sweeps.overview import look
    from srgan_lightning.tracking import workspace

    swept, objective, name = list(workspace.SWEPT), "val/psnr", "Super-resolution"
    if sweep is not None:
        seen = look(sweep)
        swept, objective = list(seen.keys), seen.objective
        name = f"Sweep {sweep.resolve().name}"
    owner = entity or (workspace.account() if send else "you")
    made = workspace.make_workspace(
        entity=owner, project=project, name=name, swept=swept, objective=objective
    )
    with whole_file(output) as part:
        part.write_text(workspace.specification(made), encoding="utf-8")
    typer.echo(f"{output}: the specification of the workspace {name!r}")
    if send:
        typer.echo(f"published: {workspace.publish(made)}")
    else:
        typer.echo("publish it: wandb login, then the same command with --publish")

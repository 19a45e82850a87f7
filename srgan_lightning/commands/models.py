"""`srgan models`: the weights in the box, and the way to the hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from srgan_lightning.errors import UserError, nearest

app = typer.Typer(no_args_is_help=False, rich_markup_mode="rich")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the weights in the box with their figures.

    Each name is what `srgan upscale --model` and the other commands take. They also take weights of
    others: `https://…` (with `#sha256=…` behind it), and `hf://owner/name` of the Hugging Face hub
    (extra hub).
    """
    if context.invoked_subcommand is not None:
        return
    import rich
    from rich.table import Table

    from srgan_lightning.pretrained import BOX

    table = Table(box=None)
    for heading in ("model", "for", "LR in training", "parameters", "MB", "figures"):
        table.add_column(heading, justify="right" if heading in ("parameters", "MB") else "left")
    for model in BOX.values():
        size = f"{model.weights.stat().st_size / 1e6:.1f}"
        figures = "\n".join(_figures(entry, model.name) for entry in model.figures)
        purpose, parameters = model.purpose.replace("`", ""), f"{model.parameters:,}"
        table.add_row(model.name, purpose, model.degradation, parameters, size, figures)
    rich.print(table)
    typer.echo("the model card: srgan models show MODEL")


@app.command()
def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name that the list has.")],
) -> None:
    """Print the model card: training, figures, limits."""
    from srgan_lightning.pretrained import BOX

    if model not in BOX:
        raise UserError(f"{model}: is not in the box; {nearest(model, BOX)}")
    typer.echo(BOX[model].page.read_text(encoding="utf-8"))


@app.command()
def push(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="What `srgan upscale --model` takes.")
    ],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the hub.")],
    private: Annotated[
        bool, typer.Option("--private", help="Hide it, where it is made now.")
    ] = False,
    license_: Annotated[
        str | None, typer.Option("--license", help="Of the weights, to be written down.")
    ] = None,
) -> None:
    """Upload weights to the Hugging Face hub, with a model card.

    From then on everybody has them as `--model hf://OWNER/NAME`. Log in first (`hf auth login`, or
    HF_TOKEN). Needs the extra hub.
    """
    import tempfile

    from srgan_lightning.export.write import UNSTATED, export_safetensors
    from srgan_lightning.pretrained import boxed
    from srgan_lightning.pretrained.hub import push as upload

    if entry := boxed(model):
        text = entry.page.read_text("utf-8")
        url = upload(entry.weights, text, repo, pictures=entry.pictures, private=private)
    else:
        with tempfile.TemporaryDirectory(prefix="srgan-") as folder:
            target = Path(folder) / "generator.safetensors"
            made = export_safetensors(model, target, license=license_ or UNSTATED)
            url = upload(made.model, made.card.read_text("utf-8"), repo, private=private)
    typer.echo(f"{url}: uploaded; --model hf://{repo}")


def _figures(entry: Mapping[str, Any], name: str) -> str:
    means = entry["means"]
    beside = f" (bicubic {means['bicubic']['psnr']:.2f})" if "bicubic" in means else ""
    return f"{entry['pictures']} {means[name]['psnr']:.2f} dB{beside}"

"""`srgan models`: what ships with the package."""

import typer


def models() -> None:
    """List the packaged models: what each is for, its figures, its model card."""
    import rich
    from rich.table import Table

    from srgan_lightning.pretrained import FOLDER, pretrained

    entries = list(pretrained().values())
    measured = list(dict.fromkeys(figure for entry in entries for figure in entry.figures))
    table = Table()
    for heading in ("model", "for"):
        table.add_column(heading)
    for heading in (*measured, "MB"):
        table.add_column(heading, justify="right")
    for entry in entries:
        figures = (f"{entry.figures[f]:g}" if f in entry.figures else "" for f in measured)
        megabytes = f"{entry.weights.stat().st_size / 1e6:.1f}"
        table.add_row(entry.name, entry.purpose, *figures, megabytes)
    rich.print(table)
    for protocol in dict.fromkeys(entry.protocol for entry in entries):
        rich.print(protocol)
    typer.echo(f"model cards: {FOLDER}/NAME.md")

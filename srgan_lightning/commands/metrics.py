"""`srgan evaluate metrics`: the metrics judged by human scores."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


@app.command()
def metrics(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="TID2013's or PIPAL's folder.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where metrics.csv, .json and .md go.")
    ] = Path("outputs/metrics"),
) -> None:
    """Correlate each metric with what people said of the pictures.

    TID2013: FOLDER/mos_with_names.txt, distorted_images/, reference_images/.

    PIPAL: FOLDER/Train_Label/*.txt, Train_Ref/, and the distorted pictures anywhere below FOLDER.
    """
    import rich
    from rich.progress import track

    from srgan_lightning.evaluation.judgement import find_metrics, measure_judged, read_scores
    from srgan_lightning.evaluation.verdict import judge, render_verdict, save_verdict

    judged = read_scores(folder)
    known, notes = find_metrics()
    measured = measure_judged(judged, known)
    figures = list(track(measured, "measuring", total=len(judged), transient=True))
    verdict = judge(figures, [one.score for one in judged], notes=notes)
    rich.print(render_verdict(verdict, title=str(folder)))
    for path in save_verdict(verdict, output):
        typer.echo(path)

"""`srgan evaluate`: models measured on pictures by the papers' protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from omegaconf import DictConfig


def evaluate(context: typer.Context) -> None:
    """Measure models on pictures: srgan evaluate model=FILE data.hr=FOLDER.

    `srgan evaluate metrics FOLDER` judges the metrics themselves by human scores.
    """
    if context.args[:1] == ["metrics"]:
        from srgan_lightning.commands.metrics import app

        app(args=context.args[1:], prog_name="srgan evaluate metrics")
    from srgan_lightning.config import run_application

    run_application("evaluate", _task, context.args)


def run(config: Mapping[str, Any], output: Path) -> None:
    """Measure what a config asks for, print the table and save it.

    Args:
        config: the composed config as plain containers, see `evaluation.config.EvaluateConfig`.
        output: the folder that figures.csv, figures.json and figures.md go to, frames.svg where
            methods fused several numbers of frames, and the pictures below `pictures`.

    Raises:
        UserError: for anything wrong with the config or the files that it names.
    """
    import rich

    from srgan_lightning.config import check, import_plugins
    from srgan_lightning.evaluation.bootstrap import compare
    from srgan_lightning.evaluation.config import EvaluateConfig
    from srgan_lightning.evaluation.render import render
    from srgan_lightning.evaluation.request import answer
    from srgan_lightning.evaluation.save import save
    from srgan_lightning.imaging.write import whole_file
    from srgan_lightning.report.bursts import as_file, frames_chart

    asked = check(EvaluateConfig, config)
    import_plugins(asked.plugins)
    pictures = output / "pictures" if asked.save_pictures else None
    table = answer(asked, pictures=pictures)
    differences = compare(table, to=asked.compare_to)
    title = asked.data.set or asked.data.hr or "packaged held-out photographs"
    rich.print(render(table, title=title, differences=differences))
    for path in save(table, output, differences=differences):
        typer.echo(path)
    if chart := frames_chart({method: table.mean(method) for method in table.methods}):
        with whole_file(output / "frames.svg") as part:
            part.write_text(as_file(chart), encoding="utf-8")
        typer.echo(output / "frames.svg")
    if pictures is not None:
        typer.echo(pictures)


def _task(config: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig

    from srgan_lightning.config import plain

    run(plain(config), Path(HydraConfig.get().runtime.output_dir))

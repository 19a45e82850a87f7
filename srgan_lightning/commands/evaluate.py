"""`srgan evaluate`: PSNR, SSIM and sharpness of models on a folder of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from omegaconf import DictConfig


def evaluate(context: typer.Context) -> None:
    """Measure models on pictures: srgan evaluate model=FILE data.hr=FOLDER."""
    from srgan_lightning.config import run_application

    run_application("evaluate", _task, context.args)


def run(config: Mapping[str, Any], output: Path) -> None:
    """Measure what a config asks for, print the table and save it.

    Args:
        config: the composed config as plain containers, see `evaluation.config.EvaluateConfig`.
        output: the folder that figures.csv, figures.json and figures.md go to.

    Raises:
        UserError: for anything wrong with the config or the files that it names.
    """
    import rich

    from srgan_lightning.config import check, import_plugins
    from srgan_lightning.evaluation.config import EvaluateConfig
    from srgan_lightning.evaluation.request import answer
    from srgan_lightning.evaluation.table import render, save

    asked = check(EvaluateConfig, config)
    import_plugins(asked.plugins)
    table = answer(asked)
    rich.print(render(table, title=asked.data.hr or "packaged held-out photographs"))
    for path in save(table, output):
        typer.echo(path)


def _task(config: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig

    from srgan_lightning.config import plain

    run(plain(config), Path(HydraConfig.get().runtime.output_dir))

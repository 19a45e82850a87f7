"""`srgan train`: a Hydra application."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from omegaconf import DictConfig


def train(context: typer.Context) -> None:
    """Train a generator: a pixel stage, then an adversarial stage.

    Takes Hydra overrides: `srgan train experiment=srgan data=div2k data.root=DIR trainer=gpu`.
    `srgan train --help` lists all groups; `--resume RUN_FOLDER` goes on with a run.
    """
    from srgan_lightning.config import run_application
    from srgan_lightning.training.resume import expand_resume

    run_application("train", task, expand_resume(context.args))


def task(config: "DictConfig") -> float | None:
    """Train with a composed config; the final PSNR in dB is the objective of sweeps."""
    from hydra.core.hydra_config import HydraConfig

    from srgan_lightning.config import plain
    from srgan_lightning.training.run import run

    result = run(plain(config), folder=Path(HydraConfig.get().runtime.output_dir))
    return result.objective

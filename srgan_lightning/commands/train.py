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
    from srgan_lightning.sweeps.study import Pruned
    from srgan_lightning.training.run import run

    _refuse_nested_sweep(config)
    try:
        result = run(plain(config), folder=Path(HydraConfig.get().runtime.output_dir))
    except Pruned as end:
        typer.echo(end)
        return float("nan")
    return result.objective


def _refuse_nested_sweep(config: "DictConfig") -> None:
    """Raise where each process that Lightning starts would start the whole sweep again."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from srgan_lightning.errors import UserError

    hydra = HydraConfig.get()
    one = config.trainer.devices == 1 and config.trainer.num_nodes == 1
    forks = config.trainer.strategy.startswith(("ddp_fork", "ddp_spawn"))
    slurm = hydra.runtime.choices["hydra/launcher"].startswith("submitit")
    if hydra.mode == RunMode.MULTIRUN and not (one or forks or slurm):
        raise UserError(
            f"trainer.devices={config.trainer.devices}: a job of a sweep takes one device here; "
            "take trainer=gpu or trainer=cpu, or run the jobs one by one without -m"
        )

"""`srgan train`: a Hydra application."""

import os
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
    from srgan_lightning.sweeps.plugins import register_plugins
    from srgan_lightning.training.resume import expand_resume

    register_plugins()
    run_application("train", task, expand_resume(context.args))


def task(config: "DictConfig") -> float | None:
    """Train with a composed config; the final PSNR in dB is the objective of sweeps."""
    from hydra.core.hydra_config import HydraConfig

    from srgan_lightning.config import plain
    from srgan_lightning.sweeps.study import Pruned
    from srgan_lightning.training.run import run
    from srgan_lightning.training.standing import standing

    folder = Path(HydraConfig.get().runtime.output_dir)
    with standing(folder):
        _refuse_nested_sweep(config)
        _refuse_search_alone(folder)
    try:
        result = run(plain(config), folder=folder)
    except Pruned as end:
        typer.echo(end)
        return float("nan")
    return result.objective


def _refuse_nested_sweep(config: "DictConfig") -> None:
    """Raise where the processes that Lightning wants are not those that the launcher starts.

    In a sweep within one process, each process that Lightning starts would start the whole sweep
    again. Slurm starts the processes itself, as many as it is told.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from srgan_lightning.errors import UserError

    devices, nodes = config.trainer.devices, config.trainer.num_nodes
    if HydraConfig.get().mode == RunMode.MULTIRUN and (devices, nodes) != (1, 1):
        raise UserError(
            f"trainer.devices={devices}: a job takes one device where all jobs share a process; "
            "take trainer=gpu or trainer=cpu, or hydra/launcher=submitit_slurm with "
            "hydra.launcher.tasks_per_node=DEVICES"
        )
    tasks = int(os.environ.get("SLURM_NTASKS", 1))
    ours = os.environ.get("SUBMITIT_EXECUTOR") == "slurm"
    if ours and isinstance(devices, int) and devices * nodes != tasks:
        raise UserError(
            f"trainer.devices={devices}, trainer.num_nodes={nodes}: Slurm started {tasks} tasks; "
            "hydra.launcher.tasks_per_node has to be trainer.devices, and hydra.launcher.nodes "
            "trainer.num_nodes"
        )


def _refuse_search_alone(folder: Path) -> None:
    """Raise where a search space is given to a single run, which would leave it aside."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from srgan_lightning.errors import UserError
    from srgan_lightning.tracking.state import find_job

    hydra = HydraConfig.get()
    search = hydra.runtime.choices["search"]
    if hydra.mode == RunMode.RUN and search != "grid" and find_job(folder) is None:
        raise UserError(f"search={search}: is for a sweep; add -m")

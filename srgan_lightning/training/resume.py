"""Going on with a run: its overrides, its folder, its newest checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from srgan_lightning.errors import UserError
from srgan_lightning.networks.files import read_pickle
from srgan_lightning.training.state import migrate

LAST = Path("checkpoints") / "last.ckpt"


def expand_resume(arguments: Sequence[str]) -> list[str]:
    """Replace `--resume RUN_FOLDER` by the run's own config folder, overrides and folder.

    Overrides that follow win over the run's own, so `--resume RUN schedule.stages.pixel.steps=…`
    trains longer.

    Raises:
        UserError: the folder is not a run's, or the run has no checkpoint yet.
    """
    rest = list(arguments)
    if "--resume" not in rest:
        return rest
    place = rest.index("--resume")
    if place + 1 == len(rest):
        raise UserError("--resume: name a run folder, such as outputs/quickstart/…")
    folder = Path(rest[place + 1])
    del rest[place : place + 2]
    overrides = folder / ".hydra" / "overrides.yaml"
    if not overrides.is_file():
        raise UserError(f"--resume {folder}: this is not a run folder (no .hydra/overrides.yaml)")
    if not (folder / LAST).is_file():
        raise UserError(f"--resume {folder}: there is no {LAST} in it, so nothing to go on with")
    own = [str(override) for override in OmegaConf.load(overrides)]
    return [*_config_dir(folder), *own, f'hydra.run.dir="{folder.absolute()}"', *rest]


def _config_dir(folder: Path) -> list[str]:
    """Return the `--config-dir` that the run was started with."""
    sources = OmegaConf.load(folder / ".hydra" / "hydra.yaml").hydra.runtime.config_sources
    given = [source.path for source in sources if source.provider == "command-line"]
    return ["--config-dir", *given] if given else []


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return this project's part of a checkpoint (config, facts, step).

    Raises:
        UserError: the file is no readable checkpoint of this program.
    """
    checkpoint = read_pickle(path)
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path}: not a checkpoint of srgan_lightning")
    return migrate(checkpoint)


def check_same_networks(saved: dict[str, Any], config: dict[str, Any]) -> None:
    """Refuse to go on with other networks than the run began with.

    Raises:
        UserError: naming the first key that differs.
    """
    for group in ("generator", "discriminator", "scale"):
        if saved["config"][group] != config[group]:
            raise UserError(
                f"{group}: the run to be resumed has {saved['config'][group]}, the config asks "
                f"for {config[group]}; start a new run (init_from=CHECKPOINT takes the weights)"
            )

"""Going on with a sweep: the command that began it, in the folder that it filled."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.state import read_sweep

COMMAND = "multirun.yaml"
RENEWED = ("hydra.sweep.dir=", "hydra.mode=")


def resume_arguments(folder: Path, overrides: Sequence[str] = ()) -> list[str]:
    """Return what stands after `srgan train` in the command that goes on with a sweep.

    Args:
        folder: the sweep's.
        overrides: further ones, of the launcher only: the jobs stay what they are.

    Raises:
        UserError: the folder is not a sweep's, or an override would change the jobs.
    """
    read_sweep(folder)
    file = folder / COMMAND
    if not file.is_file():
        raise UserError(f"{folder}: has no {COMMAND}, so nobody knows what began this sweep")
    for override in overrides:
        if not override.startswith(("hydra.launcher.", "hydra/launcher=")):
            raise UserError(
                f"{override}: the jobs of a sweep stay what they are; only hydra.launcher options "
                "may change"
            )
    hydra = OmegaConf.load(file).hydra
    given = [s.path for s in hydra.runtime.config_sources if s.provider == "command-line"]
    own = [str(o) for o in hydra.overrides.hydra if not str(o).startswith(RENEWED)]
    return [
        "--multirun",
        *(["--config-dir", *given] if given else []),
        *[str(override) for override in hydra.overrides.task],
        *own,
        f'hydra.sweep.dir="{folder.absolute()}"',
        *overrides,
    ]

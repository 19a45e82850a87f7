"""What a run leaves behind, and what is written down about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only

from srgan_lightning.data.datamodule import SRDataModule
from srgan_lightning.precision import Resolved
from srgan_lightning.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run leaves behind.

    Attributes:
        folder: the run folder.
        figures: the last validation's means, by name (`val/psnr` in dB).
        objective: the monitored figure, NaN where there was no validation.
    """

    folder: Path
    figures: Mapping[str, float]
    objective: float


def facts_of(config: TrainConfig, resolved: Resolved, datamodule: SRDataModule) -> dict[str, Any]:
    """Return the facts that travel in checkpoints and generator files."""
    return {
        "program": f"srgan-lightning {version('srgan-lightning')}",
        "torch": str(torch.__version__),
        "degradation": datamodule.degradation.describe(),
        "precision": resolved.precision,
        "channels_last": resolved.channels_last,
        "precision_reason": resolved.reason,
        "seed": config.seed,
        "init_from": Path(config.init_from).name,
        "training_pictures": len(datamodule.train_names),
    }


def about_data(datamodule: SRDataModule) -> dict[str, Any]:
    """Return what a run learns from and is validated on, by name."""
    return {
        "degradation": datamodule.degradation.describe(),
        "training_pictures": list(datamodule.train_names),
        "validation_pictures": list(datamodule.validation_names),
    }


@rank_zero_only
def save_config(folder: Path, record: Mapping[str, Any]) -> None:
    """Write config and facts into the run folder, as `config.yaml`."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".config.yaml.part"
    temporary.write_text(yaml.safe_dump(dict(record), sort_keys=False))
    temporary.replace(folder / "config.yaml")

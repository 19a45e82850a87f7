"""The options under `logger`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LoggerConfig(BaseModel):
    """Where figures and pictures go besides the run folder's `metrics.csv`.

    Attributes:
        csv: whether to write `metrics.csv`.
        wandb: `offline` (no account; send later with `wandb sync`), `online`, or `none`.
        tensorboard: whether to write event files for TensorBoard.
        project: wandb's project.
        name: the run's name; null lets wandb invent one.
        group: the sweep the run belongs to.
        tags: free words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    csv: bool = True
    wandb: Literal["offline", "online", "none"] = "offline"
    tensorboard: bool = False
    project: str = "srgan_lightning"
    name: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()

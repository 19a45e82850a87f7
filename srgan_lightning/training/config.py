"""The whole config of a training run."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from srgan_lightning.data.config import DataConfig
from srgan_lightning.tracking.config import LoggerConfig
from srgan_lightning.training.checkpoints import CheckpointConfig
from srgan_lightning.training.objective import LossConfig
from srgan_lightning.training.optimizers import OptimConfig
from srgan_lightning.training.schedule import ScheduleConfig


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(BaseModel):
    """Something chosen by name; further keys are its constructor's arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The further keys."""
        return dict(self.__pydantic_extra__ or {})


class TrainerConfig(_Config):
    """On what, how precisely and how often.

    Attributes:
        accelerator: `auto`, `cpu`, `gpu` or `mps`.
        devices: how many, or `auto` for all.
        num_nodes: machines.
        sync_batchnorm: whether BatchNorm takes its statistics over the crops of all GPUs.
        precision: `auto` takes bfloat16 where this hardware is measured to be fast at it, float16
            with loss scaling on older GPUs, else float32; or `32-true`, `bf16-mixed`, `16-mixed`.
        max_steps: generator steps after which the run ends, whatever the schedule says.
        val_every_n_steps: generator steps between two validations; 0 for none.
        log_every_n_steps: generator steps between two readings of the figures.
        compile: whether to compile both networks with torch.compile.
        overfit: whether every step gets the same crops, to see that a network can learn at all.
        profiler: Lightning's `simple` or `pytorch` profiler, or null.
    """

    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: PositiveInt | Literal["auto"] = 1
    num_nodes: PositiveInt = 1
    sync_batchnorm: bool = False
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    max_steps: NonNegativeInt | None = None
    val_every_n_steps: NonNegativeInt = 1000
    log_every_n_steps: PositiveInt = 50
    compile: bool = False
    overfit: bool = False
    profiler: Literal["simple", "pytorch"] | None = None


class CallbacksConfig(_Config):
    """What happens beside training.

    Attributes:
        checkpoint: when to save.
        pictures_every_n_steps: generator steps between two pictures of the validation
            photographs in the run folder and in wandb; 0 for none.
        pictures: how many photographs.
    """

    checkpoint: CheckpointConfig = CheckpointConfig()
    pictures_every_n_steps: NonNegativeInt = 5000
    pictures: PositiveInt = 4


class TrainConfig(_Config):
    """A training run.

    Attributes:
        scale: SR's side over LR's side.
        seed: of weights, data order and draws.
        init_from: what to start from: a name that `srgan models` lists, a generator file or a
            checkpoint; or `none`.
        schedule: without the stages that are `from_nothing` only, where `init_from` is given.
        plugins: modules to import, which register what the config names.
    """

    scale: Literal[2, 3, 4, 8] = 4
    seed: NonNegativeInt = 0
    init_from: str = "none"
    plugins: tuple[str, ...] = ()
    data: DataConfig
    degradation: Named
    generator: Named
    discriminator: Named
    loss: LossConfig
    schedule: ScheduleConfig
    optim: OptimConfig
    trainer: TrainerConfig
    logger: LoggerConfig
    callbacks: CallbacksConfig = Field(default_factory=CallbacksConfig)

    @field_validator("schedule")
    @classmethod
    def _without_stages_from_nothing(
        cls, schedule: ScheduleConfig, given: ValidationInfo
    ) -> ScheduleConfig:
        if given.data.get("init_from", "none") == "none":
            return schedule
        stages = {name: stage for name, stage in schedule.stages.items() if not stage.from_nothing}
        if not stages:
            raise ValueError("no stage is left for init_from: all are from_nothing")
        return schedule.model_copy(update={"stages": stages})

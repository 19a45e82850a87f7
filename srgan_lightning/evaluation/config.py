"""The options of `srgan evaluate`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from srgan_lightning.errors import UserError
from srgan_lightning.precision import Precision


class SetConfig(BaseModel):
    """The pictures to measure with.

    Attributes:
        hr: a folder; None is the photographs that ship with the package and are never trained on.
        lr: a folder of their LR partners; None makes LR by the degradation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hr: str | None = None
    lr: str | None = None


class ProtocolConfig(BaseModel):
    """The terms, see `srgan_lightning.evaluation.Protocol`.

    Attributes:
        space: "y" or "rgb".
        crop: pixels at each border; None takes the scale, as papers do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: Literal["y", "rgb"] = "y"
    crop: NonNegativeInt | None = None


class EvaluateConfig(BaseModel):
    """What `srgan evaluate` is asked.

    Attributes:
        model: one or several of: a generator file or checkpoint, a folder of ready SR pictures,
            a method's name (bicubic, lanczos, total_variation).
        data: the benchmark set.
        degradation: a degradation's name and arguments; not used where LR is given.
        protocol: the terms.
        scale: the factor between LR and HR.
        seed: of a degradation's draws.
        device: where generators run.
        precision: what they compute in; 32-true for figures to the digit.
        tile: the largest tile in LR pixels, None for whole pictures.
        plugins: modules to import, which register networks and degradations.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | tuple[str, ...] | None = None
    data: SetConfig = SetConfig()
    degradation: dict[str, Any] = Field(default={"name": "blur_bicubic"})
    protocol: ProtocolConfig = ProtocolConfig()
    scale: PositiveInt = 4
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto"] | Precision = "32-true"
    tile: PositiveInt | None = 256
    plugins: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """The models to measure.

        Raises:
            UserError: where none is named.
        """
        if not self.model:
            raise UserError(
                "model: is not set; give model=FILE (generator.safetensors or a .ckpt, which "
                "`srgan train` writes), model=FOLDER (of ready SR pictures) or model=bicubic"
            )
        return (self.model,) if isinstance(self.model, str) else self.model

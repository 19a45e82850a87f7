"""The options of `srgan evaluate`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.sets import SetName
from srgan_lightning.inference.upscaler import Tiling
from srgan_lightning.precision import Precision

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class SetConfig(BaseModel):
    """The pictures to measure with.

    Attributes:
        set: a benchmark set by name; its folder is proved to be that set before anything is
            measured. None measures a folder as it is.
        root: where `srgan prepare` has unpacked the sets.
        hr: a folder; None is the named set's below the root or, without a name, the photographs
            that ship with the package and are never trained on.
        lr: a folder of their LR partners; None makes LR by the degradation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: SetName | None = None
    root: str = "data"
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
        model: one or several of: a generator file or checkpoint, weights of other programs, an
            ONNX file, a folder of ready SR pictures, a method's name (bicubic, lanczos,
            total_variation), a method that fuses bursts (fuse:map); or these under names of one's
            own, where several files under one name are runs of one recipe.
        data: the benchmark set.
        degradation: a degradation's name and arguments; not used where LR is given.
        frames: how many frames of a burst are fused, or several such numbers, each of which is a
            method of its own; None takes all.
        protocol: the terms.
        compare_to: the method that the others are compared with; None takes the first.
        save_pictures: whether SR, HR and LR are written as PNG, which `srgan report` shows.
        scale: the factor between LR and HR.
        seed: of a degradation's draws.
        device: where generators run.
        precision: what they compute in; 32-true for figures to the digit.
        tiling: "exact", or "cells" of 96 pixels (or `tile`) put side by side.
        tile: the largest tile in LR pixels, "auto" as memory allows, None for whole pictures.
        plugins: modules to import, which register networks and degradations.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | Names | dict[str, str | Names] | None = None
    data: SetConfig = SetConfig()
    degradation: dict[str, Any] = Field(default={"name": "blur_bicubic"})
    frames: PositiveInt | Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None
    protocol: ProtocolConfig = ProtocolConfig()
    compare_to: str | None = None
    save_pictures: bool = True
    scale: PositiveInt = 4
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto"] | Precision = "32-true"
    tiling: Tiling = "exact"
    tile: PositiveInt | Literal["auto"] | None = "auto"
    plugins: tuple[str, ...] = ()

    @property
    def methods(self) -> list[tuple[str | None, tuple[str, ...]]]:
        """The methods to measure: the name given to each, and its runs.

        Raises:
            UserError: where none is named.
        """
        if not self.model:
            raise UserError(
                "model: is not set; give model=FILE (generator.safetensors or a .ckpt, which "
                "`srgan train` writes, a .pth, a .onnx), model=FOLDER (of ready SR pictures) or "
                "model=bicubic"
            )
        if isinstance(self.model, str):
            return [(None, (self.model,))]
        if isinstance(self.model, tuple):
            return [(None, (name,)) for name in self.model]
        return [
            (label, (names,) if isinstance(names, str) else names)
            for label, names in self.model.items()
        ]

"""The options under `data`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

Paths = str | tuple[str, ...]


class SourceConfig(BaseModel):
    """Where pictures lie.

    Attributes:
        hr: folders, stores and patterns (`photos/**/*_HR.png`), one or several, mixed;
            `samples://train` and `samples://heldout` are the packaged ones.
        lr: the partners in low resolution, of the same kinds; None where the degradation makes
            them from HR.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hr: Paths
    lr: Paths | None = None


class DataConfig(BaseModel):
    """What to train on and how to cut it.

    Attributes:
        root: the folder of a data set; presets build their paths from it.
        train: the pictures to train on.
        validation: the pictures to validate on; None takes a share of `train`.
        split: that share, chosen by a hash of each file's name.
        crop_size: side of the square HR crops, pixels; a multiple of the scale.
        batch_size: crops per batch and device.
        workers: loader processes; `auto` takes none where no picture has to be decoded for a crop
            (in memory, in a store).
        augment: whether crops are flipped and turned.
        resize: side of the square that every HR picture is resized to first (and LR pictures to
            this divided by the scale); None leaves them as they are.
        validation_crop: side of the square cut from the middle of validation pictures, HR pixels;
            None takes them whole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: str | None = None
    train: SourceConfig
    validation: SourceConfig | None = None
    split: float = Field(default=0.1, ge=0, lt=1)
    crop_size: PositiveInt = 96
    batch_size: PositiveInt = 16
    workers: NonNegativeInt | Literal["auto"] = "auto"
    augment: bool = True
    resize: PositiveInt | None = None
    validation_crop: PositiveInt | None = None

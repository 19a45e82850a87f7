"""What travels from the loader to the device and from there to the training step."""

from typing import NamedTuple

from torch import Tensor


class TrainBatch(NamedTuple):
    """The crops of one generator step, as the loader hands them out.

    Attributes:
        hr: uint8 `[N, 3, crop, crop]`, in channels-last strides.
        lr: uint8 `[N, 3, crop / scale, crop / scale]` of paired data, else None.
        step: the generator step that the crops belong to.
    """

    hr: Tensor
    lr: Tensor | None
    step: int


class ValidationBatch(NamedTuple):
    """One whole picture.

    Attributes:
        hr: uint8 `[1, 3, H, W]`, H and W multiples of the scale.
        lr: uint8 `[1, 3, H / scale, W / scale]` of paired data, else None.
        picture: the picture's place in `SRDataModule.validation_names`.
    """

    hr: Tensor
    lr: Tensor | None
    picture: int


class Pair(NamedTuple):
    """What networks and losses see.

    Attributes:
        lr: float32 `[N, 3, H / scale, W / scale]` in [0, 1]; or bursts, see `BurstGenerator.fuse`.
        hr: float32 `[N, 3, H, W]` in [0, 1].
    """

    lr: Tensor
    hr: Tensor

    @property
    def picture(self) -> Tensor:
        """LR as pictures `[N, 3, …]`: of a burst the reference."""
        return self.lr if self.lr.ndim == 4 else self.lr[:, 0, :3]

    def split(self, parts: int) -> list["Pair"]:
        """Cut into equal parts, in order.

        Raises:
            ValueError: where the batch cannot be cut into so many equal parts.
        """
        if len(self.hr) % parts or not len(self.hr):
            raise ValueError(f"{len(self.hr)} crops cannot be cut into {parts} equal parts")
        pieces = zip(self.lr.chunk(parts), self.hr.chunk(parts), strict=True)
        return [Pair(lr, hr) for lr, hr in pieces]

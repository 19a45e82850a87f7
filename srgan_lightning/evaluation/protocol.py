"""The terms under which figures are measured; a figure without them says nothing."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How SR is compared with HR.

    SR is clamped and rounded to 8 bits, both are cropped, then PSNR and SSIM are taken in float64
    on the colour space; a set's figure is the mean of its pictures' figures.

    Attributes:
        degradation: how LR was made from HR, in words.
        space: "y" (BT.601 luma of 16 to 235, as papers do) or "rgb".
        crop: pixels left out on every side, in HR; papers take the scale.
        pictures: the benchmark set, in words; empty for pictures that have no name.
        alignment: of bursts, in words: how their frames are brought together, and that SR is moved
            onto HR before it is measured (`alignment.aligned`); empty where nothing is moved.
    """

    degradation: str
    space: Literal["y", "rgb"] = "y"
    crop: int = 4
    pictures: str = ""
    alignment: str = ""

    def stamp(self) -> str:
        """Say it in one line, to stand under every table.

        Example:
            >>> Protocol(degradation="bicubic").stamp()
            'Y channel, 4 pixels cropped at each border, LR by bicubic'
        """
        pictures = f"{self.pictures}, " if self.pictures else ""
        space = {"y": "Y channel", "rgb": "RGB"}[self.space]
        crop = f"{self.crop} pixels cropped at each border"
        alignment = f", {self.alignment}" if self.alignment else ""
        return f"{pictures}{space}, {crop}, LR by {self.degradation}{alignment}"

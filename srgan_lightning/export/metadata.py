"""What an ONNX file says of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from srgan_lightning.export.parity import Parity, Precision

FORMAT = "srgan_lightning.onnx"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Description:
    """What is known of an exported generator.

    Attributes:
        name: the generator's registered name.
        arguments: its constructor's arguments besides the scale.
        scale: the factor between the sides of LR and SR.
        parameters: how many weights it has.
        halo: see `Generator.halo`.
        facts: what its file says of degradation and training.
        license: of the weights.
        precision: what the file computes in.
        calibration: of int8, the photographs (see `int8.Calibration.facts`).
        whole: whether it takes 8-bit pictures.
        parity: how ONNX Runtime compares with torch.
    """

    name: str
    arguments: dict[str, Any]
    scale: int
    parameters: int
    halo: int | None
    facts: dict[str, Any]
    license: str
    precision: Precision = "float32"
    calibration: dict[str, Any] | None = None
    whole: bool = False
    parity: Sequence[Parity] = ()

    def properties(self) -> dict[str, str]:
        """Return the metadata of an ONNX file, strings all of them.

        - `format`: `srgan_lightning.onnx`, and `format_version`: `1`;
        - `generator`, `scale`, `facts`: as in a generator file (`networks.weights`);
        - `halo`: in LR pixels, or `whole picture` where an SR pixel depends on all of LR;
        - `input`: `RGB in [0, 1], NCHW` or `RGB uint8, NHWC`; the output is like it;
        - `precision`, `license`, `program`;
        - `calibration`, of int8: JSON, the photographs (see `int8.Calibration.facts`);
        - `parity`: JSON, one entry a size that was compared.
        """
        properties = {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "generator": json.dumps({"name": self.name, "arguments": self.arguments}),
            "scale": str(self.scale),
            "facts": json.dumps(self.facts),
            "halo": "whole picture" if self.halo is None else str(self.halo),
            "input": "RGB uint8, NHWC" if self.whole else "RGB in [0, 1], NCHW",
            "precision": self.precision,
            "license": self.license,
            "program": f"srgan-lightning {version('srgan-lightning')}",
            "parity": json.dumps(
                [
                    dict(zip(("size", "max_abs", "psnr"), row.cells, strict=True))
                    for row in self.parity
                ]
            ),
        }
        if self.calibration is not None:
            properties["calibration"] = json.dumps(self.calibration)
        return properties

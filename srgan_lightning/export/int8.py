"""Static quantization: inner convolutions in 8-bit integers, ranges found on photographs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rich
from numpy.typing import NDArray
from rich.progress import track

from srgan_lightning.degradations.base import crop_to_multiple
from srgan_lightning.degradations.bicubic import Bicubic
from srgan_lightning.errors import UserError
from srgan_lightning.export.graph import INPUT, silent_logs, strip
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.samples import sample_folder

if TYPE_CHECKING:
    import onnx

SIDE = 64  # pixels of LR: what is taken of the middle of a photograph


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The photographs on which the ranges of the activations are found.

    Attributes:
        files: pictures, HR.
        packaged: whether they are those of `samples.sample_folder("train")`.
    """

    files: Sequence[Path]
    packaged: bool

    @classmethod
    def of(cls, folder: Path | None) -> Calibration:
        """Take the pictures of a folder, or the packaged ones.

        Raises:
            UserError: for a folder that is not there or holds no pictures.
        """
        files = list_images(sample_folder("train") if folder is None else folder)
        if not files:
            raise UserError(f"{folder}: holds no pictures to calibrate on")
        return cls(files=files, packaged=folder is None)

    def facts(self) -> dict[str, Any]:
        """Say which they are: how many, a hash of all of them, of the packaged ones the names."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        facts = {"photographs": len(self.files), "sha256": digest.hexdigest()}
        return {**facts, "names": [file.name for file in self.files]} if self.packaged else facts

    def pictures(self, scale: int) -> Iterator[NDArray[np.uint8]]:
        """Yield LR, uint8 `[1, H, W, 3]`: the middle of each photograph, reduced by bicubic.

        Raises:
            UserError: for a file that cannot be read or is smaller than the scale.
        """
        degradation = Bicubic(scale=scale)
        for file in self.files:
            photograph = read_rgb(file)
            side = SIDE * scale
            top, left = (max(0, (size - side) // 2) for size in photograph.shape[:2])
            middle = photograph[top : top + side, left : left + side]
            hr = crop_to_multiple(to_tensor(middle), scale)
            if 0 in hr.shape:
                raise UserError(f"{file}: is smaller than {scale} pixels; leave it out")
            yield to_picture(degradation(hr))[None]


def to_int8(
    model: onnx.ModelProto, calibration: Calibration, *, scale: int, name: str
) -> onnx.ModelProto:
    """Quantize the convolutions of an exported network but its first and last; all else stays.

    The first sees the picture and the last makes it: in 8 bits they cost more quality than they
    save time.

    Weights are quantized per output channel, activations per tensor, as pairs of QuantizeLinear
    and DequantizeLinear (QDQ) that ONNX Runtime turns into integer kernels. Weights use 7 of the
    8 bits: x86 processors without VNNI add two products in 16 bits, which 8 would overflow, and
    parity found on one machine would not hold on another.

    Args:
        model: as `to_onnx` makes it in float32; takes floats or 8-bit pictures.
        calibration: the photographs; a progress bar goes through them.
        scale: of the network.
        name: of the network, for messages.

    Returns:
        A new model.

    Raises:
        UserError: for a network without inner convolutions, one that ONNX Runtime cannot quantize,
            and photographs that cannot be read.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static

    layers = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    inner = [node.name for node in layers[1:-1] if node.op_type == "Conv"]
    if not inner:
        raise UserError(
            f"export: {name} has no convolution between its first and its last; --int8 has nothing "
            "to quantize"
        )
    whole = model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    try:
        with silent_logs(), tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "int8.onnx"
            quantize_static(
                model,
                target,
                _Reader(calibration, scale=scale, whole=whole),
                op_types_to_quantize=["Conv"],
                nodes_to_quantize=inner,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
            quantized = onnx.load(target)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - the quantizer has no errors of its own
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"export: {name} cannot be quantized ({reason})") from None
    strip(quantized)
    return quantized


class _Reader:
    """The photographs, one at a time, as the quantizer asks for them."""

    def __init__(self, calibration: Calibration, *, scale: int, whole: bool) -> None:
        self._whole = whole
        self._pictures = iter(
            track(
                calibration.pictures(scale),
                "calibrating",
                total=len(calibration.files),
                transient=True,
                disable=not rich.get_console().is_terminal,
            )
        )

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        picture = next(self._pictures, None)
        if picture is None:
            return None
        if self._whole:
            return {INPUT: picture}
        return {INPUT: picture.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)}

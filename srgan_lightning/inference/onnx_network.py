"""A network in an ONNX file, run by ONNX Runtime."""

import json
import typing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.errors import UserError

PROBE = 16  # pixels: the side of the picture that tells the scale, where any size will do
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
WORDS = {"tensor(float)": "float32", "tensor(float16)": "float16"}
_CPU = "CPUExecutionProvider"


class OnnxNetwork:
    """An enlarging network of an ONNX file.

    Args:
        path: the file: one input and one output like it, floats `[B, 3, H, W]` in [0, 1] or uint8
            `[B, H, W, 3]`.
        device: "auto" (CUDA where ONNX Runtime has it, else the CPU), "cpu", "cuda", or the name of
            any other of its execution providers ("openvino" for OpenVINOExecutionProvider).

    Attributes:
        provider: the execution provider that runs it.
        eight_bits: whether it takes and makes 8-bit pictures.
        scale: the factor between LR and SR, found by enlarging a small picture.
        halo: as its metadata tell, in LR pixels; None where they do not.
        size: (height, width) that it takes; None in the place of a side that is free.
        precision: what it computes in, as far as it says.
        degradation: what it was trained for, as far as it says.

    Raises:
        UserError: for a file that is missing, no ONNX or no such network, a device that is not to
            be had, and where ONNX Runtime is not installed; when called, for a picture of a size
            that the file does not take.
    """

    def __init__(self, path: Path, *, device: str = "cpu") -> None:
        self.path = path
        self._session, self.provider = _open(path, device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        kinds = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type not in DTYPES:
            raise UserError(f"{path}: must take one picture, and takes {kinds}")
        given = inputs[0]
        self._input, self._dtype = given.name, DTYPES[given.type]
        self.eight_bits = self._dtype is np.uint8
        channels, first = (3, 1) if self.eight_bits else (1, 2)
        shape = given.shape
        if len(shape) != 4 or (isinstance(shape[channels], int) and shape[channels] != 3):
            raise UserError(f"{path}: must take RGB pictures, and takes {kinds}")
        sides = [side if isinstance(side, int) else None for side in shape[first : first + 2]]
        self.size = sides[0], sides[1]
        told = self._session.get_modelmeta().custom_metadata_map
        halo = told.get("halo", "")
        self.halo = int(halo) if halo.isdigit() else None
        self.precision = told.get("precision", WORDS.get(given.type, "8-bit pictures"))
        self.degradation = _degradation(told.get("facts", "{}"))
        height, width = (side or PROBE for side in sides)
        sr = self(np.zeros((height, width, 3), np.uint8 if self.eight_bits else np.float32))
        self.scale = sr.shape[1] // width
        if sr.shape != (height * self.scale, width * self.scale, 3) or not self.scale:
            raise UserError(
                f"{path}: does not enlarge: of {width}x{height} pixels it makes {list(sr.shape)}"
            )

    def __call__(self, lr: NDArray[Any]) -> NDArray[Any]:
        """Enlarge a picture.

        Args:
            lr: `[H, W, 3]`; uint8 for a file of 8-bit pictures, else float32 in [0, 1].

        Returns:
            `[scale·H, scale·W, 3]` of the same type.

        Raises:
            UserError: the file does not take this size.
            MemoryError: it does not fit into memory.
        """
        batch = lr[None] if self.eight_bits else lr.transpose(2, 0, 1)[None]
        try:
            (sr,) = self._session.run(None, {self._input: np.ascontiguousarray(batch, self._dtype)})
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's have no base of their own
            words = _line(error)
            if "alloc" in words.lower() or "out of memory" in words.lower():
                raise MemoryError(words) from None
            size = f"{lr.shape[1]}x{lr.shape[0]}"
            raise UserError(f"{self.path}: fails on a picture of {size}: {words}") from None
        if self.eight_bits:
            return typing.cast(NDArray[Any], sr[0])
        return typing.cast(NDArray[Any], sr[0].transpose(1, 2, 0).astype(np.float32))


def _open(path: Path, device: str) -> tuple[Any, str]:
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            f"{path}: needs ONNX Runtime; pip install 'srgan-lightning[onnx]' brings it"
        ) from None
    provider, place = _provider(device, onnxruntime.get_available_providers())
    chosen = [(provider, place)] if provider == _CPU else [(provider, place), (_CPU, {})]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, sess_options=options, providers=chosen)
    except Exception as error:  # noqa: BLE001 - as above
        raise UserError(f"{path}: is no ONNX file that can be run ({_line(error)})") from None
    if provider not in session.get_providers():
        raise UserError(f"device: {provider} does not start here; take --device cpu")
    return session, provider


def _provider(device: str, available: list[str]) -> tuple[str, dict[str, str]]:
    """Return the execution provider of a device's name, and its options."""
    name, _, index = device.lower().partition(":")
    place = {"device_id": index} if index else {}
    known = {each.removesuffix("ExecutionProvider").lower(): each for each in available}
    if name == "auto":
        return known.get("cuda", _CPU), place
    if name in known:
        return known[name], place
    raise UserError(
        f"device: {device!r} is not to be had by ONNX Runtime; take auto, {', '.join(known)}"
    )


def _degradation(facts: str) -> str:
    try:
        told = json.loads(facts)
    except ValueError:
        return ""
    return str(told.get("degradation", "")) if isinstance(told, dict) else ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

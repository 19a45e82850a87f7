"""The upscaler that a user's words ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from srgan_lightning.errors import UserError
from srgan_lightning.inference.onnx_upscaler import OnnxUpscaler
from srgan_lightning.inference.upscaler import Tile, Tiling, Upscaler

if TYPE_CHECKING:
    from srgan_lightning.precision import Precision

Backend = Literal["auto", "torch", "onnx"]


def load_upscaler(
    model: str | Path,
    *,
    scale: int = 4,
    backend: Backend = "auto",
    device: str = "auto",
    precision: Literal["auto"] | Precision = "auto",
    tile: Tile = "auto",
    tiling: Tiling = "exact",
    ensemble: bool = False,
    consistency: bool = False,
) -> Upscaler:
    """Build an upscaler from a generator's file, an ONNX file, or a method's name.

    Args:
        model: `generator.safetensors`, a checkpoint, another program's weights, a `.onnx`, or the
            name of a method without weights ("bicubic").
        scale: of a method by name; a file knows its own.
        backend: "auto" runs `.onnx` files by ONNX Runtime (torch is then never imported) and all
            others by torch.
        device: "auto", or as the backend names it.
        precision: of torch; an ONNX file has its own.
        tile: see `Upscaler`.
        tiling: see `Upscaler`.
        ensemble: see `Upscaler`.
        consistency: whether SR is corrected as `Consistency` does, by torch.

    Raises:
        UserError: for a file that holds no generator, a backend that does not run it, or a device
            or a precision that is not to be had.
    """
    is_onnx = Path(model).suffix == ".onnx"
    if backend != "auto" and is_onnx != (backend == "onnx"):
        hint = "`srgan export` makes an ONNX file" if backend == "onnx" else "leave --backend out"
        raise UserError(f"{model}: cannot be run by --backend {backend}; {hint}")
    upscaler: Upscaler
    if is_onnx:
        if precision != "auto":
            raise UserError(f"{model}: computes in its own precision; leave --precision out")
        upscaler = OnnxUpscaler(
            Path(model), device=device, tile=tile, tiling=tiling, ensemble=ensemble
        )
    else:
        from srgan_lightning.inference.torch_upscaler import TorchUpscaler

        upscaler = TorchUpscaler.load(
            model,
            scale=scale,
            device=device,
            precision=precision,
            tile=tile,
            tiling=tiling,
            ensemble=ensemble,
        )
    if consistency:
        from srgan_lightning.inference.consistency import Consistency

        upscaler.consistency = Consistency(
            upscaler.degradation, scale=upscaler.scale, model=upscaler.model
        )
    return upscaler

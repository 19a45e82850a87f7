"""The upscaler that a user's words ask for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from srgan_lightning.errors import UserError
from srgan_lightning.inference.onnx_upscaler import OnnxUpscaler
from srgan_lightning.inference.provenance import named
from srgan_lightning.inference.upscaler import VIEWS, Tile, Tiling, Upscaler
from srgan_lightning.pretrained import Boxed, boxed, locate

if TYPE_CHECKING:
    from srgan_lightning.precision import Precision

Backend = Literal["auto", "torch", "onnx"]
QUICK = 2**18  # LR pixels: ONNX Runtime has enlarged so many by the time that torch has started


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
    pixels: int | None = None,
) -> Upscaler:
    """Build an upscaler from a generator's file, an ONNX file, or a name.

    Args:
        model: `generator.safetensors`, a checkpoint, another program's weights, a `.onnx`, what
            `pretrained.locate` finds ("photo-gan"), or the name of a method without weights
            ("bicubic").
        scale: of a method by name; a file knows its own.
        backend: "auto" runs `.onnx` files by ONNX Runtime (torch is then never imported), and so
            weights of the box where `pixels` are few; all else by torch.
        device: "auto", or as the backend names it.
        precision: of torch; an ONNX file has its own.
        tile: see `Upscaler`.
        tiling: see `Upscaler`.
        ensemble: see `Upscaler`.
        consistency: whether SR is corrected as `Consistency` does, by torch.
        pixels: how many LR pixels there will be; None for an unknown number.

    Raises:
        UserError: for a file that holds no generator, a backend that does not run it, or a device
            or a precision that is not to be had.
    """
    entry = boxed(model)
    if backend == "auto":
        views = VIEWS if ensemble else 1
        few = pixels is not None and views * pixels <= QUICK and not consistency
        plain = device in ("auto", "cpu") and precision == "auto"
        quick = (
            entry is not None
            and not entry.fuses
            and few
            and plain
            and find_spec("onnxruntime") is not None
        )
        backend = "onnx" if quick or Path(model).suffix == ".onnx" else "torch"
    options: dict[str, Any] = {"tile": tile, "tiling": tiling, "ensemble": ensemble}
    upscaler: Upscaler
    if backend == "onnx":
        upscaler = _onnx(model, entry, device=device, precision=precision, **options)
    elif Path(model).suffix == ".onnx":
        raise UserError(f"{model}: cannot be run by --backend torch; leave --backend out")
    else:
        from srgan_lightning.inference.torch_upscaler import TorchUpscaler

        upscaler = TorchUpscaler.load(
            model, scale=scale, device=device, precision=precision, **options
        )
    if consistency:
        from srgan_lightning.inference.consistency import Consistency

        upscaler.consistency = Consistency(
            upscaler.degradation, scale=upscaler.scale, model=upscaler.model
        )
    return upscaler


def _onnx(
    model: str | Path, entry: Boxed | None, *, device: str, precision: str, **options: Any
) -> OnnxUpscaler:
    """Build the upscaler of a `.onnx` file, or of the graph that weights of the box have."""
    if entry and entry.fuses:
        raise UserError(f"{model}: fuses bursts, which is not done by --backend onnx; leave it out")
    if entry is None and Path(model).suffix != ".onnx":
        hint = "`srgan export` makes an ONNX file"
        raise UserError(f"{model}: cannot be run by --backend onnx; {hint}")
    if precision != "auto":
        raise UserError(f"{model}: computes in its own precision; leave --precision out")
    if entry is None:
        return OnnxUpscaler(locate(model), device=device, **options)
    entry.check()
    return OnnxUpscaler(entry.graph, model=named(model), device=device, **options)

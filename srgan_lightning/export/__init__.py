"""Generators for other programs: ONNX files with a proof of parity, and generator files."""

from srgan_lightning.export.graph import to_onnx
from srgan_lightning.export.parity import Parity, check_parity
from srgan_lightning.export.write import Exported, export_onnx, export_safetensors

__all__ = [
    "Exported",
    "Parity",
    "check_parity",
    "export_onnx",
    "export_safetensors",
    "to_onnx",
]

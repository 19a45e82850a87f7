"""Methods without a trained network: interpolation, sparse coding, total variation.

Importing this package registers each of them as a generator.
"""

from srgan_lightning.classical.fitted import FittedGenerator
from srgan_lightning.classical.interpolation import Bicubic, Bilinear, Lanczos, Nearest
from srgan_lightning.classical.sparse_coding import SparseCoding
from srgan_lightning.classical.total_variation import TotalVariation

__all__ = [
    "Bicubic",
    "Bilinear",
    "FittedGenerator",
    "Lanczos",
    "Nearest",
    "SparseCoding",
    "TotalVariation",
]

"""Methods without a trained network: interpolation, sparse coding, total variation.

Importing this package registers each of them as a generator.
"""

from srgan_lightning.classical.interpolation import Bicubic, Bilinear, Lanczos, Nearest

__all__ = ["Bicubic", "Bilinear", "Lanczos", "Nearest"]

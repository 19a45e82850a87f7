"""Degradations: how HR becomes LR, in batches, on the device, with draws that repeat."""

from srgan_lightning.degradations.base import DEGRADATIONS, Degradation, crop_to_multiple
from srgan_lightning.degradations.blur_bicubic import BlurBicubic

__all__ = ["DEGRADATIONS", "BlurBicubic", "Degradation", "crop_to_multiple"]

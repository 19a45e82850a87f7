"""Degradations: how HR becomes LR, in batches, on the device, with draws that repeat."""

from srgan_lightning.degradations.augment import random_flip_turn
from srgan_lightning.degradations.base import DEGRADATIONS, Degradation, crop_to_multiple
from srgan_lightning.degradations.bicubic import Bicubic
from srgan_lightning.degradations.blur_bicubic import BlurBicubic
from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.classical import Classical
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.degradations.realesrgan import RealESRGAN
from srgan_lightning.degradations.resize import imresize

__all__ = [
    "DEGRADATIONS",
    "Bicubic",
    "BlurBicubic",
    "Burst",
    "Classical",
    "Degradation",
    "Motion",
    "RealESRGAN",
    "crop_to_multiple",
    "imresize",
    "random_flip_turn",
]

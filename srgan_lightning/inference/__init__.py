"""Pictures enlarged by a generator: tiles, the upscaler, and which file becomes which."""

from srgan_lightning.inference.pictures import Picture, to_picture, to_tensor
from srgan_lightning.inference.upscaler import Upscaler

__all__ = ["Picture", "Upscaler", "to_picture", "to_tensor"]

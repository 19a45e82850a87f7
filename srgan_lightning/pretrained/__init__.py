"""Trained weights: those in the box, and whatever a name, a URL or the hub leads to."""

from srgan_lightning.pretrained.box import BOX, Boxed, boxed
from srgan_lightning.pretrained.locate import locate

__all__ = ["BOX", "Boxed", "boxed", "locate"]

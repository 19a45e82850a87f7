"""A small local page: drop a picture, choose a model, compare before and after, download."""

from srgan_lightning.demo.serve import serve

__all__ = ["serve"]

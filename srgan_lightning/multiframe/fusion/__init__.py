"""Registered frames made into one picture of higher resolution."""

from srgan_lightning.multiframe.fusion.front import DEBLURRING, Method, check_bounds, fuse
from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.refine import refine

__all__ = ["DEBLURRING", "Fused", "Method", "check_bounds", "fuse", "refine"]

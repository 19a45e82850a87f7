"""Registration: where each pixel of one frame lies in all the others."""

from srgan_lightning.multiframe.registration.front import Registered, register

__all__ = ["Registered", "register"]

"""Discriminators: HR or SR?"""

from srgan_lightning.networks.discriminators.keras_srgan import KerasSRGANDiscriminator
from srgan_lightning.networks.discriminators.srgan import SRGANDiscriminator

__all__ = ["KerasSRGANDiscriminator", "SRGANDiscriminator"]

"""Discriminators: HR or SR?"""

from srgan_lightning.networks.discriminators.keras_srgan import KerasSRGANDiscriminator
from srgan_lightning.networks.discriminators.patchgan import PatchGAN
from srgan_lightning.networks.discriminators.srgan import SRGANDiscriminator
from srgan_lightning.networks.discriminators.unet import UNetDiscriminator

__all__ = ["KerasSRGANDiscriminator", "PatchGAN", "SRGANDiscriminator", "UNetDiscriminator"]

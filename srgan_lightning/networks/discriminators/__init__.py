"""Discriminators: HR or SR?"""

from srgan_lightning.networks.discriminators.srgan import SRGANDiscriminator

__all__ = ["SRGANDiscriminator"]

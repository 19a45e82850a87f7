"""Generators: from LR to SR."""

from srgan_lightning.networks.generators.srresnet import SRResNet

__all__ = ["SRResNet"]

"""Generators: from LR to SR."""

from srgan_lightning.networks.generators.compact import Compact
from srgan_lightning.networks.generators.msrresnet import MSRResNet
from srgan_lightning.networks.generators.rrdbnet import RRDBNet
from srgan_lightning.networks.generators.span import SPAN
from srgan_lightning.networks.generators.srresnet import SRResNet

__all__ = ["SPAN", "Compact", "MSRResNet", "RRDBNet", "SRResNet"]

"""Generators: from LR to SR."""

from srgan_lightning.networks.generators.burst_sr import BurstSR
from srgan_lightning.networks.generators.compact import Compact
from srgan_lightning.networks.generators.edsr import EDSR
from srgan_lightning.networks.generators.espcn import ESPCN
from srgan_lightning.networks.generators.fsrcnn import FSRCNN
from srgan_lightning.networks.generators.keras_srgan import KerasSRGAN
from srgan_lightning.networks.generators.msrresnet import MSRResNet
from srgan_lightning.networks.generators.rdn import RDN
from srgan_lightning.networks.generators.rrdbnet import RRDBNet
from srgan_lightning.networks.generators.span import SPAN
from srgan_lightning.networks.generators.srcnn import SRCNN
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.generators.vdsr import VDSR

__all__ = [
    "EDSR",
    "ESPCN",
    "FSRCNN",
    "RDN",
    "SPAN",
    "SRCNN",
    "VDSR",
    "BurstSR",
    "Compact",
    "KerasSRGAN",
    "MSRResNet",
    "RRDBNet",
    "SRResNet",
]

"""Generators, discriminators and feature extractors in plain PyTorch.

Importing this package registers every network by its name.
"""

from srgan_lightning.networks import discriminators, generators
from srgan_lightning.networks.base import DISCRIMINATORS, GENERATORS, Discriminator, Generator
from srgan_lightning.networks.features import VGGFeatures
from srgan_lightning.networks.weights import file_hash, load_generator, save_generator

GENERATORS.defer("burst_map", "srgan_lightning.multiframe.fusion.corrected")  # stands on fusion

__all__ = [
    "DISCRIMINATORS",
    "GENERATORS",
    "Discriminator",
    "Generator",
    "VGGFeatures",
    "discriminators",
    "file_hash",
    "generators",
    "load_generator",
    "save_generator",
]

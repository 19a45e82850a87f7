"""Losses in plain PyTorch, each a function and a module with its equation."""

from srgan_lightning.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    BCEAdversarialLoss,
    discriminator_bce,
    generator_bce,
)
from srgan_lightning.losses.content import ContentLoss, content_loss, relative_difference
from srgan_lightning.losses.grid import GridLoss, grid_loss
from srgan_lightning.losses.hinge import (
    HingeAdversarialLoss,
    discriminator_hinge,
    generator_hinge,
)
from srgan_lightning.losses.lsgan import (
    LSGANAdversarialLoss,
    discriminator_lsgan,
    generator_lsgan,
)
from srgan_lightning.losses.pixel import (
    L1,
    MSE,
    PIXEL_LOSSES,
    SSE,
    Charbonnier,
    charbonnier,
    l1,
    mse,
    sse,
)
from srgan_lightning.losses.relativistic import (
    RelativisticAdversarialLoss,
    discriminator_relativistic,
    generator_relativistic,
)
from srgan_lightning.losses.variation import TotalVariation, total_variation
from srgan_lightning.losses.wgan_gp import (
    WGANGPAdversarialLoss,
    discriminator_wgan,
    generator_wgan,
    gradient_penalty,
)

__all__ = [
    "ADVERSARIAL_LOSSES",
    "L1",
    "MSE",
    "PIXEL_LOSSES",
    "SSE",
    "AdversarialLoss",
    "BCEAdversarialLoss",
    "Charbonnier",
    "ContentLoss",
    "GridLoss",
    "HingeAdversarialLoss",
    "LSGANAdversarialLoss",
    "RelativisticAdversarialLoss",
    "TotalVariation",
    "WGANGPAdversarialLoss",
    "charbonnier",
    "content_loss",
    "discriminator_bce",
    "discriminator_hinge",
    "discriminator_lsgan",
    "discriminator_relativistic",
    "discriminator_wgan",
    "generator_bce",
    "generator_hinge",
    "generator_lsgan",
    "generator_relativistic",
    "generator_wgan",
    "gradient_penalty",
    "grid_loss",
    "l1",
    "mse",
    "relative_difference",
    "sse",
    "total_variation",
]

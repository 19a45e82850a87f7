"""Losses in plain PyTorch, each a function and a module with its equation."""

from srgan_lightning.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    BCEAdversarialLoss,
    discriminator_bce,
    generator_bce,
)
from srgan_lightning.losses.content import ContentLoss, content_loss
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
from srgan_lightning.losses.variation import TotalVariation, total_variation

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
    "TotalVariation",
    "charbonnier",
    "content_loss",
    "discriminator_bce",
    "generator_bce",
    "l1",
    "mse",
    "sse",
    "total_variation",
]

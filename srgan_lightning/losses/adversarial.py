"""Adversarial losses: what D and G play for, on D's logits.

With the logit ℓ, D(x) = σ(ℓ), −log D(x) = softplus(−ℓ) and −log(1 − D(x)) = softplus(ℓ): exact
where a logarithm of the sigmoid would underflow. All are computed in float32.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from srgan_lightning.registry import Registry


def discriminator_bce(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """D's loss, E[−log D(HR)] + E[−log(1 − D(SR))] (Ledig et al. 2017, eq. 2, negated).

    Args:
        logits_hr: D's logits of HR images, any shape.
        logits_sr: D's logits of SR images.

    Returns:
        A scalar; 2 log 2 where D knows nothing.

    Example:
        >>> import torch
        >>> f"{discriminator_bce(torch.zeros(4, 1), torch.zeros(4, 1)):.4f}"
        '1.3863'
    """
    return softplus(-logits_hr.float()).mean() + softplus(logits_sr.float()).mean()


def generator_bce(logits_sr: Tensor) -> Tensor:
    """G's loss, E[−log D(SR)] (Ledig et al. 2017, eq. 6, as a mean over the batch).

    Args:
        logits_sr: D's logits of SR images, any shape.

    Returns:
        A scalar; log 2 where D knows nothing.

    Example:
        >>> import torch
        >>> f"{generator_bce(torch.zeros(4, 1)):.4f}"
        '0.6931'
    """
    return softplus(-logits_sr.float()).mean()


class AdversarialLoss(ABC):
    """The two sides of an adversarial game.

    Attributes:
        needs_hr_logits_for_generator: whether `generator` looks at HR's logits; where it does
            not, they need not be computed.
        critic: whether D is a critic, trained as near to its optimum as can be: that it is always
            right is no victory then. It has to judge each image by itself, without BatchNorm.
    """

    needs_hr_logits_for_generator: ClassVar[bool] = False
    critic: ClassVar[bool] = False

    @abstractmethod
    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """Return D's loss, a scalar, from its logits of HR and of SR."""

    @abstractmethod
    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """Return G's loss, a scalar, from D's logits of SR and, where needed, of HR."""

    def penalty(
        self,
        discriminator: Callable[[Tensor], Tensor],
        hr: Tensor,
        sr: Tensor,
        generator: torch.Generator | None,
    ) -> Tensor | None:
        """Return what D's loss is raised by for D's own shape; None where the game asks nothing.

        Args:
            discriminator: D, twice differentiable.
            hr: `[B, 3, H, W]`.
            sr: the same shape, without a graph.
            generator: the source of draws, on the images' device; None is torch's global one.
        """
        return None

    def margins(self, logits_hr: Tensor, logits_sr: Tensor) -> tuple[Tensor, Tensor]:
        """Return by how much D is right on each logit of HR and of SR; above 0 it is right."""
        return logits_hr, -logits_sr


ADVERSARIAL_LOSSES = Registry[AdversarialLoss]("adversarial loss")


@ADVERSARIAL_LOSSES.register("bce")
class BCEAdversarialLoss(AdversarialLoss):
    """The paper's game: `discriminator_bce` against `generator_bce` (non-saturating)."""

    def __init__(self) -> None:
        pass

    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """E[−log D(HR)] + E[−log(1 − D(SR))]."""
        return discriminator_bce(logits_hr, logits_sr)

    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """E[−log D(SR)]; HR's logits play no part."""
        return generator_bce(logits_sr)

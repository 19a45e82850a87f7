"""LSGAN: least squares instead of logarithms (Mao et al. 2017)."""

from torch import Tensor

from srgan_lightning.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss


def discriminator_lsgan(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """D's loss, ½ E[(D(HR) − 1)²] + ½ E[D(SR)²] (Mao et al. 2017, eq. 9), D without a sigmoid.

    Args:
        logits_hr: D's logits of HR images, any shape.
        logits_sr: D's logits of SR images.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> discriminator_lsgan(torch.tensor([3.0, 1.0]), torch.tensor([0.0, 1.0])).item()
        1.25
    """
    return ((logits_hr.float() - 1).square().mean() + logits_sr.float().square().mean()) / 2


def generator_lsgan(logits_sr: Tensor) -> Tensor:
    """G's loss, ½ E[(D(SR) − 1)²] (Mao et al. 2017, eq. 9).

    Args:
        logits_sr: D's logits of SR images, any shape.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> generator_lsgan(torch.tensor([0.0, 3.0])).item()
        1.25
    """
    return (logits_sr.float() - 1).square().mean() / 2


@ADVERSARIAL_LOSSES.register("lsgan")
class LSGANAdversarialLoss(AdversarialLoss):
    """`discriminator_lsgan` against `generator_lsgan`; D decides at ½, not at 0."""

    def __init__(self) -> None:
        pass

    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """½ E[(D(HR) − 1)²] + ½ E[D(SR)²]."""
        return discriminator_lsgan(logits_hr, logits_sr)

    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """½ E[(D(SR) − 1)²]; HR's logits play no part."""
        return generator_lsgan(logits_sr)

    def margins(self, logits_hr: Tensor, logits_sr: Tensor) -> tuple[Tensor, Tensor]:
        """D(HR) − ½ and ½ − D(SR)."""
        return logits_hr - 0.5, 0.5 - logits_sr

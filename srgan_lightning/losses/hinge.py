"""The hinge loss: D is content beyond a margin of 1 (Lim & Ye 2017; Miyato et al. 2018)."""

from torch import Tensor
from torch.nn.functional import relu

from srgan_lightning.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss


def discriminator_hinge(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """D's loss, E[max(0, 1 − D(HR))] + E[max(0, 1 + D(SR))] (Miyato et al. 2018, eq. 16).

    Args:
        logits_hr: D's logits of HR images, any shape.
        logits_sr: D's logits of SR images.

    Returns:
        A scalar; 2 where D knows nothing, 0 where all logits are beyond the margin.

    Example:
        >>> import torch
        >>> discriminator_hinge(torch.tensor([2.0, 0.5]), torch.tensor([-0.5, 1.0])).item()
        1.5
    """
    return relu(1 - logits_hr.float()).mean() + relu(1 + logits_sr.float()).mean()


def generator_hinge(logits_sr: Tensor) -> Tensor:
    """G's loss, −E[D(SR)] (Miyato et al. 2018, eq. 17).

    Args:
        logits_sr: D's logits of SR images, any shape.

    Returns:
        A scalar, negative where D is deceived.

    Example:
        >>> import torch
        >>> generator_hinge(torch.tensor([2.0, -1.0])).item()
        -0.5
    """
    return -logits_sr.float().mean()


@ADVERSARIAL_LOSSES.register("hinge")
class HingeAdversarialLoss(AdversarialLoss):
    """`discriminator_hinge` against `generator_hinge`."""

    def __init__(self) -> None:
        pass

    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """E[max(0, 1 − D(HR))] + E[max(0, 1 + D(SR))]."""
        return discriminator_hinge(logits_hr, logits_sr)

    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """−E[D(SR)]; HR's logits play no part."""
        return generator_hinge(logits_sr)

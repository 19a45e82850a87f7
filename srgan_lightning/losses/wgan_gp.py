"""WGAN-GP: the Wasserstein distance, with D's slope held at 1 (Gulrajani et al. 2017)."""

from collections.abc import Callable

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss


def discriminator_wgan(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """D's loss without its penalty, E[D(SR)] − E[D(HR)] (Gulrajani et al. 2017, eq. 3).

    Its negative estimates the Wasserstein distance between HR and SR where D's slope is 1.

    Args:
        logits_hr: D's values for HR images, any shape.
        logits_sr: D's values for SR images.

    Returns:
        A scalar of any sign; 0 where D knows nothing.

    Example:
        >>> import torch
        >>> discriminator_wgan(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.0])).item()
        -2.5
    """
    return logits_sr.float().mean() - logits_hr.float().mean()


def generator_wgan(logits_sr: Tensor) -> Tensor:
    """G's loss, −E[D(SR)] (Gulrajani et al. 2017, algorithm 1).

    Args:
        logits_sr: D's values for SR images, any shape.

    Returns:
        A scalar of any sign.

    Example:
        >>> import torch
        >>> generator_wgan(torch.tensor([2.0, -1.0])).item()
        -0.5
    """
    return -logits_sr.float().mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    hr: Tensor,
    sr: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """E[(‖∇D(x̂)‖₂ − 1)²], x̂ = ε·HR + (1 − ε)·SR (Gulrajani et al. 2017, eq. 3, two-sided).

    ε is drawn uniformly from [0, 1) for each image. Where D gives a map, D(x̂) is its mean, as in
    the loss. Computed in float32, outside of autocast: the slope is a derivative already and would
    leave the range of half precision.

    Args:
        discriminator: D, twice differentiable, that judges each image by itself; with BatchNorm
            one image's value would depend on the others, and its slope would mean nothing.
        hr: `[B, 3, H, W]`.
        sr: the same shape.
        generator: the source of ε, on the images' device; None is torch's global one.

    Returns:
        A scalar with a graph to D's parameters.

    Example:
        >>> def thrice_the_sum(image):
        ...     return 3 * image.sum((1, 2, 3))
        >>> image = torch.rand(2, 1, 2, 2)  # the slope is 3 · √4
        >>> f"{gradient_penalty(thrice_the_sum, image, image).item():.2f}"
        '25.00'
    """
    hr, sr = hr.detach().float(), sr.detach().float()
    share = torch.rand(len(hr), 1, 1, 1, generator=generator, device=hr.device)
    mixed = torch.lerp(sr, hr, share).requires_grad_()
    with torch.autocast(hr.device.type, enabled=False):
        values = discriminator(mixed)
        (slope,) = torch.autograd.grad(len(hr) * values.mean(), mixed, create_graph=True)
    steepness: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (steepness - 1).square().mean()


@ADVERSARIAL_LOSSES.register("wgan_gp")
class WGANGPAdversarialLoss(AdversarialLoss):
    """`discriminator_wgan` plus a weighted `gradient_penalty` against `generator_wgan`.

    D must have no BatchNorm (`discriminator.norm=none`). The paper gives D five updates for each
    of G's (`schedule.stages.NAME.d_steps=5`).

    Args:
        gradient_penalty: the penalty's weight, λ; 10 in the paper.

    Raises:
        UserError: for a weight that is not above 0.
    """

    critic = True

    def __init__(self, *, gradient_penalty: float = 10.0) -> None:
        if not 0 < gradient_penalty < float("inf"):
            raise UserError(
                f"loss.adversarial.gradient_penalty: must be above 0 (got {gradient_penalty})"
            )
        self.gradient_penalty = gradient_penalty

    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """E[D(SR)] − E[D(HR)]."""
        return discriminator_wgan(logits_hr, logits_sr)

    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """−E[D(SR)]; HR's values play no part."""
        return generator_wgan(logits_sr)

    def penalty(
        self,
        discriminator: Callable[[Tensor], Tensor],
        hr: Tensor,
        sr: Tensor,
        generator: torch.Generator | None,
    ) -> Tensor:
        """λ E[(‖∇D(x̂)‖₂ − 1)²]."""
        return self.gradient_penalty * gradient_penalty(discriminator, hr, sr, generator)

    def margins(self, logits_hr: Tensor, logits_sr: Tensor) -> tuple[Tensor, Tensor]:
        """D(HR) − E[D(SR)] and E[D(HR)] − D(SR): only differences of D's values mean anything."""
        hr, sr = logits_hr.float(), logits_sr.float()
        return hr - sr.mean(), hr.mean() - sr

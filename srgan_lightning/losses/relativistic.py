"""The relativistic average game: is HR more real than SR? (Jolicoeur-Martineau 2018)."""

from torch import Tensor
from torch.nn.functional import softplus

from srgan_lightning.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss


def discriminator_relativistic(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """D's loss, −E[log D_Ra(HR, SR)] − E[log(1 − D_Ra(SR, HR))] (Wang et al. 2018, eq. 1).

    D_Ra(a, b) = σ(ℓ(a) − E[ℓ(b)]), the mean being taken over the batch.

    Args:
        logits_hr: D's logits ℓ of HR images, any shape.
        logits_sr: D's logits of SR images.

    Returns:
        A scalar; 2 log 2 where D knows nothing.

    Example:
        >>> import torch
        >>> f"{discriminator_relativistic(torch.ones(4, 1), torch.ones(4, 1)):.4f}"
        '1.3863'
    """
    hr_over_sr, sr_over_hr = _relative(logits_hr, logits_sr)
    return softplus(-hr_over_sr).mean() + softplus(sr_over_hr).mean()


def generator_relativistic(logits_sr: Tensor, logits_hr: Tensor) -> Tensor:
    """G's loss, −E[log(1 − D_Ra(HR, SR))] − E[log D_Ra(SR, HR)] (Wang et al. 2018, eq. 2).

    The gradient reaches G by both terms: by the second through each ℓ(SR), and by the first
    through E[ℓ(SR)], to which HR is compared.

    Args:
        logits_sr: D's logits ℓ of SR images, any shape.
        logits_hr: D's logits of HR images.

    Returns:
        A scalar; 2 log 2 where D knows nothing.

    Example:
        >>> import torch
        >>> f"{generator_relativistic(torch.ones(4, 1), torch.ones(4, 1)):.4f}"
        '1.3863'
    """
    hr_over_sr, sr_over_hr = _relative(logits_hr, logits_sr)
    return softplus(hr_over_sr).mean() + softplus(-sr_over_hr).mean()


def _relative(logits_hr: Tensor, logits_sr: Tensor) -> tuple[Tensor, Tensor]:
    """Return ℓ(HR) − E[ℓ(SR)] and ℓ(SR) − E[ℓ(HR)]."""
    hr, sr = logits_hr.float(), logits_sr.float()
    return hr - sr.mean(), sr - hr.mean()


@ADVERSARIAL_LOSSES.register("relativistic")
class RelativisticAdversarialLoss(AdversarialLoss):
    """ESRGAN's game: `discriminator_relativistic` against `generator_relativistic`."""

    needs_hr_logits_for_generator = True

    def __init__(self) -> None:
        pass

    def discriminator(self, logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
        """−E[log D_Ra(HR, SR)] − E[log(1 − D_Ra(SR, HR))]."""
        return discriminator_relativistic(logits_hr, logits_sr)

    def generator(self, logits_sr: Tensor, logits_hr: Tensor | None = None) -> Tensor:
        """−E[log(1 − D_Ra(HR, SR))] − E[log D_Ra(SR, HR)].

        Raises:
            ValueError: without HR's logits.
        """
        if logits_hr is None:
            raise ValueError("the relativistic game compares SR with HR: logits_hr is needed")
        return generator_relativistic(logits_sr, logits_hr)

    def margins(self, logits_hr: Tensor, logits_sr: Tensor) -> tuple[Tensor, Tensor]:
        """ℓ(HR) − E[ℓ(SR)] and E[ℓ(HR)] − ℓ(SR)."""
        hr_over_sr, sr_over_hr = _relative(logits_hr, logits_sr)
        return hr_over_sr, -sr_over_hr

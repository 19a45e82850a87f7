"""Total variation, a prior for smooth images."""

from torch import Tensor, nn


def total_variation(image: Tensor) -> Tensor:
    """Anisotropic total variation, 1/N Σ (|x[i+1, j] − x[i, j]| + |x[i, j+1] − x[i, j]|).

    The sum runs over all neighbours inside the images, N is the number of values of the batch
    (Rudin, Osher & Fatemi 1992, in its ℓ₁ form).

    Args:
        image: `[B, C, H, W]`.

    Returns:
        A scalar, 0 for flat images.

    Example:
        >>> import torch
        >>> total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
        0.5
    """
    image = image.float()
    return (image.diff(dim=-2).abs().sum() + image.diff(dim=-1).abs().sum()) / image.numel()


class TotalVariation(nn.Module):
    """`total_variation` as a module: 1/N Σ (|x[i+1, j] − x[i, j]| + |x[i, j+1] − x[i, j]|)."""

    def forward(self, image: Tensor) -> Tensor:
        """Measure a batch `[B, C, H, W]`."""
        return total_variation(image)

"""Losses between the pixels of SR and HR.

Images are RGB in [0, 1]. Ledig et al. (2017) compare images in [−1, 1]; with x' = 2x − 1 the
differences double, so on [−1, 1] L1 is 2 times and MSE 4 times what these functions return: a
paper's weight w for the MSE of [−1, 1] images becomes 4w here. All are computed in float32.
"""

from torch import Tensor, nn

from srgan_lightning.registry import Registry

PIXEL_LOSSES = Registry[nn.Module]("pixel loss")


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error, 1/N Σᵢ |SRᵢ − HRᵢ| over all N values of the batch.

    Args:
        sr: `[B, 3, H, W]` in [0, 1].
        hr: the same shape and range.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> l1(torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0])).item()
        0.25
    """
    return (sr.float() - hr.float()).abs().mean()


def mse(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean squared error, 1/N Σᵢ (SRᵢ − HRᵢ)² (Ledig et al. 2017, eq. 4).

    Args:
        sr: `[B, 3, H, W]` in [0, 1].
        hr: the same shape and range.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> mse(torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0])).item()
        0.125
    """
    return (sr.float() - hr.float()).square().mean()


def sse(sr: Tensor, hr: Tensor, factor: float = 1.0) -> Tensor:
    """Summed squared error of an image, factor · 1/B Σ_b ‖SR_b − HR_b‖² over a batch of B.

    SRCNN and FSRCNN (Dong et al. 2016) minimise it as it is, VDSR (Kim et al. 2016) half of it.
    It is H · W · 3 times the MSE, and so are its gradients: with SGD the learning rates of these
    papers mean what they mean there.

    Args:
        sr: `[B, 3, H, W]` in [0, 1].
        hr: the same shape and range.
        factor: what to multiply the sum with.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> sse(torch.full((4, 3, 2, 2), 0.5), torch.zeros(4, 3, 2, 2)).item()
        3.0
    """
    return factor * (sr.float() - hr.float()).square().sum() / sr.shape[0]


def charbonnier(sr: Tensor, hr: Tensor, eps: float = 1e-3) -> Tensor:
    """Smooth L1, 1/N Σᵢ √((SRᵢ − HRᵢ)² + ε²) (Lai et al. 2017, LapSRN, eq. 2).

    Args:
        sr: `[B, 3, H, W]` in [0, 1].
        hr: the same shape and range.
        eps: ε, the error below which the loss turns from linear to quadratic; it is also the
            value for equal images.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> charbonnier(torch.tensor([0.3]), torch.tensor([0.0]), eps=0.4).item()
        0.5
    """
    return ((sr.float() - hr.float()).square() + eps**2).sqrt().mean()


@PIXEL_LOSSES.register("l1")
class L1(nn.Module):
    """`l1` as a module: 1/N Σᵢ |SRᵢ − HRᵢ|."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, 3, H, W]` in [0, 1]."""
        return l1(sr, hr)


@PIXEL_LOSSES.register("mse")
class MSE(nn.Module):
    """`mse` as a module: 1/N Σᵢ (SRᵢ − HRᵢ)²."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, 3, H, W]` in [0, 1]."""
        return mse(sr, hr)


@PIXEL_LOSSES.register("sse")
class SSE(nn.Module):
    """`sse` as a module: factor · 1/B Σ_b ‖SR_b − HR_b‖²."""

    def __init__(self, *, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, 3, H, W]` in [0, 1]."""
        return sse(sr, hr, self.factor)


@PIXEL_LOSSES.register("charbonnier")
class Charbonnier(nn.Module):
    """`charbonnier` as a module: 1/N Σᵢ √((SRᵢ − HRᵢ)² + ε²)."""

    def __init__(self, *, eps: float = 1e-3) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, 3, H, W]` in [0, 1]."""
        return charbonnier(sr, hr, self.eps)

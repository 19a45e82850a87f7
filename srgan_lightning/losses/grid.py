"""The grid that sub-pixel convolution leaves, and what it shifts: a loss against both."""

import torch.nn.functional as F
from torch import Tensor, nn

_CELLS = 4  # along a window: details average out over it, a grid does not


def grid_loss(sr: Tensor, hr: Tensor, *, period: int = 4) -> Tensor:
    """Mean over windows and phases of |m_φ|, with m_φ the mean of SR − HR at phase φ.

    A sub-pixel convolution (Shi et al. 2016) writes each of the period x period pixels of a cell
    with filters of its own, which part when they are trained adversarially: a pattern that repeats
    with the period (Odena et al. 2016, "Deconvolution and checkerboard artifacts"). In a window of
    4x4 cells the mean error of all pixels of one phase shows it, and a texture that is darker
    than HR's as well; what SR lacks or invents otherwise averages out.

    Args:
        sr: `[B, C, H, W]`, sides in multiples of the period.
        hr: the same shape.
        period: the up-sampler's factor.

    Returns:
        A float32 scalar.

    Example:
        >>> import torch
        >>> hr = torch.rand(1, 3, 32, 32)
        >>> lines = torch.tensor([1.0, -1.0, 0.0, 0.0]).repeat(8)
        >>> round(grid_loss(hr + lines, hr).item(), 4)
        0.5
    """
    phases = F.pixel_unshuffle(sr.float() - hr.float(), period)
    window = min(_CELLS, *phases.shape[-2:])
    means = F.avg_pool2d(phases, window, stride=max(1, window // 2))
    loss: Tensor = means.abs().mean()
    return loss


class GridLoss(nn.Module):
    """`grid_loss` as a module: mean |m_φ| of SR − HR.

    Args:
        period: the up-sampler's factor.
    """

    def __init__(self, period: int = 4) -> None:
        super().__init__()
        self.period = period

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, C, H, W]`."""
        return grid_loss(sr, hr, period=self.period)

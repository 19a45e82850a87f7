"""How far a frame is to be trusted, pixel by pixel (Wronski et al. 2019, section 5.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.motion import Motion, pixel_grid, sample_flow

_STRICT = 2.0  # the paper's where motion is irregular: here nothing tells of what moves by itself
_BELOW = 0.12
_AROUND = 5  # pixels: what is beside a wrong pixel is not trusted either


class Robustness:
    """Compare frames with the reference by the means over 3x3 pixels, Gaussian noise allowed for.

    With d the distance of the mean colours and σ the larger of the reference's standard deviation
    over 3x3 pixels and the noise's,

        R = min over 5x5 of clamp(2 exp(−d̂² / σ²) − 0.12, 0, 1),   d̂² = d⁴ / (d² + 2 noise² / 9).

    Args:
        reference: `[C, H, W]`; NaN is unknown, and trusts every frame.
        noise: standard deviation of each channel's noise, `[C]`.
    """

    def __init__(self, reference: Tensor, *, noise: Tensor) -> None:
        self._mean = _means(reference)
        spread = _means(reference.square()) - self._mean.square()
        least = noise.square().sum()
        self._variance = spread.sum(0).clamp(min=float(least))
        self._noise = 2 * least / 9
        self._grid = pixel_grid(*reference.shape[-2:], device=reference.device)

    def __call__(self, frame: Tensor, motion: Motion, n: int) -> Tensor:
        """Return how far frame n is trusted where it shows the reference's pixels.

        Args:
            frame: `[C, H, W]`.
            motion: of the burst, from the reference.
            n: the frame.

        Returns:
            0 to 1, `[H, W]`.
        """
        there = sample_flow(_means(frame), motion.points(n, self._grid)).movedim(-1, 0)
        square = (there - self._mean).square().sum(0)
        square = square.square() / (square + self._noise)
        trust = _STRICT * torch.exp(-square / self._variance) - _BELOW
        trust = trust.to(frame.dtype).nan_to_num(nan=1.0).clamp(0, 1)
        distrust: Tensor = F.max_pool2d(-trust[None], _AROUND, 1, _AROUND // 2)
        return -distrust[0]


def _means(planes: Tensor) -> Tensor:
    """Return means over the known of 3x3 pixels, borders repeated; NaN where none is known."""
    known = planes.isfinite()
    both = torch.stack([torch.where(known, planes, 0), known.to(planes.dtype)])
    means: Tensor = F.avg_pool2d(F.pad(both, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return means[0] / means[1]

"""Frames that do not belong: known by what registration leaves over."""

import torch
from torch import Tensor

_FAR = 6.0  # standard deviations above the median
_TIMES = 1.5  # and so many times the median: frames that are all alike differ by less
_CORRELATED = 0.5  # of the median correlation is the least
_OVERLAP = 0.1  # of the reference's pixels is the least that a frame must show
_MEANT = 0.3  # correlation: with less, two frames have nothing in common


def reasons_against(
    residual: Tensor, correlation: Tensor, overlap: Tensor, *, reference: int
) -> list[str]:
    """Say for each frame why it must not be fused, or "".

    Args:
        residual: standard deviation of what is left over, in units of the reference, `[N]`.
        correlation: with the reference, `[N]`.
        overlap: the share of the reference's pixels that the frame shows, `[N]`.
        reference: which of them is the reference; it is never against itself.
    """
    counts = overlap > _OVERLAP
    others = counts & residual.isfinite()
    others[reference] = False
    typical, alike = residual[others], correlation[others]
    if not len(typical):
        typical, alike = residual.new_zeros(1), residual.new_ones(1)
    median = typical.median()
    spread = 1.4826 * (typical - median).abs().median()
    limit = torch.maximum(median + _FAR * spread, _TIMES * median)
    least = max(_MEANT, _CORRELATED * float(alike.median()))
    reasons = []
    for n in range(len(residual)):
        reason = ""
        if n == reference:
            pass
        elif not counts[n]:
            reason = f"shows only {overlap[n]:.0%} of the reference".replace("%", " %")
        elif not correlation[n] >= least:
            reason = f"shows something else than the reference (correlation {correlation[n]:.2f})"
        elif residual[n] > limit and len(typical) > 2:
            times = float(residual[n] / median.clamp(min=1e-12))
            reason = f"differs {times:.1f} times as much from the reference as frames usually do"
        reasons.append(reason)
    return reasons

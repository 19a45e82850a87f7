"""Translation by phase correlation, to a hundredth of a pixel."""

import torch
from torch import Tensor

# How fine the correlation is read, and how far around: each reaches beyond half a step of the last.
_STAGES = ((4, 1.5), (20, 0.2), (100, 0.04))
_AT_ONCE = 2**20  # pixels: their spectra stay in the processor's cache


def phase_correlation(reference: Tensor, frames: Tensor) -> Tensor:
    """Find by how much frames are shifted, to 1/100 pixel (Guizar-Sicairos et al. 2008).

    The peak of the inverse transform of R̄ F / |R F| is found to two pixels in its lower half band,
    then read 4, 20 and 100 times as fine around it, by a discrete Fourier transform of those few
    points alone, over all frequencies.
    Equal to `skimage.registration.phase_cross_correlation` with `upsample_factor=100`, which has
    the opposite sign and the order (y, x).

    Args:
        reference: `[H, W]`, without NaN, of floating point: what is computed in.
        frames: `[N, H, W]`, without NaN, of any type of number.

    Returns:
        (x, y), float64 `[N, 2]`: what lies at p in the reference lies at p + shift in a frame.

    Example:
        >>> reference = torch.rand(32, 40)
        >>> phase_correlation(reference, reference.roll((3, -5), (0, 1))[None]).tolist()
        [[-5.0, 3.0]]
    """
    width = reference.shape[-1]
    against = torch.fft.rfft2(reference).conj().resolve_conj()
    shifts = []
    for some in torch.split(frames, max(1, _AT_ONCE // reference.numel())):
        # Of a spectrum and its phases little is left when they are written where they stood.
        product = torch.fft.rfft2(some.to(reference.dtype)).mul_(against)
        torch.sgn(product, out=product)
        shift = _coarse(product, width=width)
        for finer, reach in _STAGES:
            shift = _finer(product, shift, finer=finer, reach=reach, width=width)
        shifts.append(shift)
    return torch.cat(shifts)


def _coarse(product: Tensor, *, width: int) -> Tensor:
    height = product.shape[-2]
    high, wide = max(1, height // 4), max(1, width // 4)
    low = torch.cat([product[:, :high, : wide + 1], product[:, -high:, : wide + 1]], dim=1)
    peak = torch.fft.irfft2(low, s=(2 * high, 2 * wide)).flatten(1).argmax(1)
    place = torch.stack([peak % (2 * wide) / (2 * wide), peak // (2 * wide) / (2 * high)], dim=1)
    place = torch.where(place > 0.5, place - 1, place).double()
    return place * torch.tensor([width, height], device=place.device)


def _finer(product: Tensor, shift: Tensor, *, finer: int, reach: float, width: int) -> Tensor:
    """Move each shift to the largest correlation within reach, on a grid `finer` than pixels."""
    count = round(reach * finer)
    offsets = torch.arange(-count, count + 1, device=shift.device, dtype=torch.float64) / finer
    centre = (shift * finer).round() / finer
    height, half = product.shape[-2:]
    rows = torch.fft.fftfreq(height, device=shift.device, dtype=torch.float64)
    columns = torch.fft.rfftfreq(width, device=shift.device, dtype=torch.float64)
    # The other half of the spectrum is the conjugate of this one, but for columns without twin.
    twin = torch.full((half,), 2.0, device=shift.device, dtype=torch.float64)
    twin[0] = 1
    if width % 2 == 0:
        twin[-1] = 1
    down = _waves(centre[:, 1], offsets, rows).to(product.dtype)
    across = (_waves(centre[:, 0], offsets, columns) * twin).to(product.dtype)
    correlation = (down @ product @ across.mT).real
    best = correlation.flatten(1).argmax(1)
    return centre + offsets[torch.stack([best % len(offsets), best // len(offsets)], dim=1)]


def _waves(centre: Tensor, offsets: Tensor, frequencies: Tensor) -> Tensor:
    """Return exp(2πi (c + o) f), `[N, O, F]`: a product, for sines are dear."""
    turns = [2 * torch.pi * places[:, None] * frequencies for places in (centre, offsets)]
    one, other = (torch.polar(torch.ones_like(turn), turn) for turn in turns)
    return one[:, None] * other

"""The up-sampler's grid in flat patches, by its frequencies: the periods of 4 and 2 pixels."""

import numpy as np
from numpy.typing import NDArray

PATCH = 16  # pixels; both periods are whole bins of its spectrum


def grid_power(patches: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean power at the grid's frequencies, and at those half-way between them.

    From each patch its plane is taken off, its low-pass; a Hann window keeps a frequency's power
    out of all but the nearest bins. Patch by patch, so a grid that turns its sign from place to
    place is seen as well as one that is the same everywhere.

    Args:
        patches: `[N, PATCH, PATCH]`, of luma.

    Returns:
        Both powers, in squared levels; white noise has the same in both.
    """
    hann = np.hanning(PATCH + 1)[:-1]
    window = np.outer(hann, hann)
    spectrum = np.fft.fft2(_without_plane(patches) * window)
    power = (np.abs(spectrum) ** 2).mean(0) / (PATCH**2 * (window**2).sum())
    index = np.arange(PATCH)
    quarter, even = index % 4 == 0, index % 2 == 0
    low = np.minimum(index, PATCH - index) <= 2
    shading = np.outer(low, low)
    line = np.outer(quarter, quarter)
    between = np.outer(even, even) & ~line & ~shading
    return float(power[line & ~shading].mean()), float(power[between].mean())


def _without_plane(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the plane of least squares off each patch."""
    ramp = np.linspace(-1, 1, PATCH)
    ramp /= np.linalg.norm(ramp)
    rest = patches - patches.mean(axis=(1, 2), keepdims=True)
    down = (rest.mean(2) @ ramp)[:, None, None] * ramp[:, None]
    across = (rest.mean(1) @ ramp)[:, None, None] * ramp
    return np.asarray(rest - down - across)

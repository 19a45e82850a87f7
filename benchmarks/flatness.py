"""What a generator does where a picture is flat: the up-sampler's grid, and grain."""

import torch
from torch import Tensor

from srgan_lightning.metrics.preparation import prepare

SIDE = 16  # of a window; the periods of 4 and 2 pixels are whole bins of its spectrum
FLAT = 4.0  # the largest deviation of a flat window of HR, in levels of luma


class Flatness:
    """The flat windows of many pictures, SR beside HR.

    A window is flat where HR's luma has no deviation above `FLAT`. From each, its plane is taken
    off (its low-pass), and a Hann window keeps a bin's power out of all but the nearest ones.

    Args:
        crop: pixels left out at each border; a multiple of 4 keeps the grid in phase.
    """

    def __init__(self, *, crop: int = 4) -> None:
        self._crop = crop
        self._sr: list[Tensor] = []
        self._hr: list[Tensor] = []

    def update(self, sr: Tensor, hr: Tensor) -> None:
        """Take in a picture: both float `[1, 3, H, W]`, RGB in [0, 1]."""
        sr, hr = (_windows(luma) for luma in prepare(sr, hr, crop=self._crop, space="y"))
        flat = hr.std(dim=(1, 2), correction=0) <= FLAT
        self._sr.append(sr[flat])
        self._hr.append(hr[flat])

    def figures(self) -> dict[str, float]:
        """Return the figures of all windows together.

        `grid` is the mean power at the periods of 4 and 2 pixels, SR's over HR's; `peak` is that
        power of SR over the power between those frequencies, 1 for a spectrum without lines;
        `peak_hr` is HR's; `deviation` and `deviation_hr` are in levels; `windows` counts them.
        """
        sr, hr = torch.cat(self._sr), torch.cat(self._hr)
        (line, between), (line_hr, between_hr) = _powers(sr), _powers(hr)
        return {
            "grid": line / line_hr,
            "peak": line / between,
            "peak_hr": line_hr / between_hr,
            "deviation": sr.std(dim=(1, 2), correction=0).mean().item(),
            "deviation_hr": hr.std(dim=(1, 2), correction=0).mean().item(),
            "windows": len(hr),
        }


def _windows(luma: Tensor) -> Tensor:
    """Cut `[1, 1, H, W]` into `[N, SIDE, SIDE]`, side by side from the corner on."""
    height, width = (side - side % SIDE for side in luma.shape[-2:])
    tiles = luma[0, 0, :height, :width].unfold(0, SIDE, SIDE).unfold(1, SIDE, SIDE)
    return tiles.reshape(-1, SIDE, SIDE)


def _powers(windows: Tensor) -> tuple[float, float]:
    """Return the mean power at the grid's frequencies and at those half-way between them."""
    hann = torch.hann_window(SIDE, dtype=windows.dtype)
    window = torch.outer(hann, hann)
    spectrum = torch.fft.fft2(_without_plane(windows) * window)
    power = spectrum.abs().square().mean(0) / (SIDE**2 * window.square().sum())
    index = torch.arange(SIDE)
    quarters, halves = index % 4 == 0, index % 4 == 2
    line = quarters[:, None] & quarters
    line[0, 0] = False
    between = (quarters | halves)[:, None] & (quarters | halves) & ~(quarters[:, None] & quarters)
    low = torch.minimum(index, SIDE - index) <= 2
    between &= ~(low[:, None] & low)  # what shading is left
    return power[line].mean().item(), power[between].mean().item()


def _without_plane(windows: Tensor) -> Tensor:
    """Take the plane of least squares off each window."""
    ramp = torch.linspace(-1, 1, SIDE, dtype=windows.dtype)
    ramp = ramp / ramp.norm()
    rest = windows - windows.mean(dim=(1, 2), keepdim=True)
    down = (rest.mean(2) @ ramp)[:, None, None] * ramp[:, None]
    across = (rest.mean(1) @ ramp)[:, None, None] * ramp
    return rest - down - across

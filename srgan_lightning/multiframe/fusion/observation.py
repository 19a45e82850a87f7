"""How a picture of high resolution becomes the pixels of frames, and the way back."""

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.blur import gaussian_radius
from srgan_lightning.degradations.cubic import cubic_weights

_TAPS = 4  # of a cubic, along each axis
_ROWS = 32  # of a block

_Block = tuple[slice, Tensor]  # the columns that it reads, and a dense matrix


class Observation:
    """The linear map A from an HR picture to pixels that frames have seen, and its adjoint.

    A = S B. B is what a sensor does, on HR's grid: a Gaussian blur and the mean over scale x scale
    pixels. S reads the result by Keys' cubic (1981, a = −0.5) where each pixel of a frame looks.
    Warping before blurring is the same for translations, and for isotropic blur with rotations;
    the square of a pixel is not turned with the frame.

    Args:
        places: the centres of frames' pixels on the HR grid, (x, y), float64 `[M, 2]`.
        size: (height, width) of HR.
        scale: HR pixels along the side of a frame's pixel.
        sigma: of the Gaussian, in pixels of a frame; 0 is none.

    Attributes:
        inside: which of the M pixels look wholly at HR; the others are not in A, bool `[M]`.
        kernel: what B does along each axis.

    Example:
        >>> centres = torch.tensor([[1.5, 5.5], [5.5, 5.5]], dtype=torch.float64)
        >>> observation = Observation(centres, size=(12, 12), scale=4, sigma=0)
        >>> observation.inside.tolist(), observation(torch.ones(3, 12, 12)).tolist()
        ([False, True], [[1.0, 1.0, 1.0]])
    """

    def __init__(self, places: Tensor, *, size: tuple[int, int], scale: int, sigma: float) -> None:
        self.size = size
        self.kernel = sensor_kernel(scale, sigma).to(places.device)
        lost = len(self.kernel) - 1
        self._height, self._width = (max(0, side - lost) for side in size)
        bands = [_band(self.kernel, side) for side in size]
        self._down, self._across = (_blocks(band, 0, lost) for band in bands)
        self._up, self._aside = (_blocks(band.T, lost, 0) for band in bands)
        centre = places - lost / 2
        corner = centre.floor()
        x, y = corner.int().unbind(-1)
        last_x, last_y = self._width - _TAPS + 1, self._height - _TAPS + 1
        self.inside = (x >= 1) & (y >= 1) & (x <= last_x) & (y <= last_y)
        x, y, share = x[self.inside], y[self.inside], (centre - corner)[self.inside].float()
        steps = torch.arange(-1, _TAPS - 1, dtype=torch.int32, device=places.device)
        columns = ((y[:, None] + steps)[..., None] * self._width) + (x[:, None] + steps)[:, None]
        across, down = (torch.stack(cubic_weights(each), -1) for each in share.unbind(-1))
        weights = down[..., None] * across[:, None]
        self._rows, self._back = _sparse(
            columns.flatten(1), weights.flatten(1), self._height * self._width
        )

    def __call__(self, hr: Tensor) -> Tensor:
        """Return A HR.

        Args:
            hr: float32 `[C, H, W]`.

        Returns:
            `[inside pixels, C]`.
        """
        blurred = _along_rows(self._across, _along_columns(self._down, hr))
        return self._rows @ blurred.flatten(1).T.contiguous()

    def adjoint(self, pixels: Tensor) -> Tensor:
        """Return Aᵀ pixels: `[inside pixels, C]` to `[C, H, W]`."""
        blurred = (self._back @ pixels).T.reshape(-1, self._height, self._width)
        return _along_rows(self._aside, _along_columns(self._up, blurred))


def spread(observation: Observation, pixels: Tensor, weight: Tensor) -> Tensor:
    """Return Aᵀ(weight · pixels) / Aᵀ weight: the mean of the pixels that look at an HR pixel.

    Args:
        observation: A.
        pixels: `[M, C]`.
        weight: 0 and more, `[M, C]`.

    Returns:
        `[C, H, W]`, 0 where none looks.
    """
    total = observation.adjoint(pixels * weight)
    return total / observation.adjoint(weight.to(pixels.dtype)).clamp(min=1e-3)


def sensor_kernel(scale: int, sigma: float) -> Tensor:
    """Return a Gaussian of sigma·scale HR pixels followed by the mean of `scale` pixels.

    >>> sensor_kernel(4, 0).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    box = torch.full((scale,), 1 / scale, dtype=torch.float64)
    if sigma > 0:
        radius = gaussian_radius(sigma * scale)
        offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
        gauss = torch.exp(-(offsets**2) / (2 * (sigma * scale) ** 2))
        padded = F.pad(box.view(1, 1, -1), (2 * radius, 2 * radius))
        box = F.conv1d(padded, (gauss / gauss.sum()).view(1, 1, -1)).flatten()
    return box.float()


def _band(kernel: Tensor, length: int) -> Tensor:
    """Return the matrix that slides a kernel over pixels."""
    rows = max(0, length - len(kernel) + 1)
    band = kernel.new_zeros(rows, length)
    place = torch.arange(rows, device=kernel.device)
    for step, weight in enumerate(kernel):
        band[place, place + step] = weight
    return band


def _blocks(band: Tensor, before: int, after: int) -> list[_Block]:
    """Cut a band into blocks of rows without most of the zeros: quicker than a convolution."""
    blocks = []
    for top in range(0, max(1, len(band)), _ROWS):
        columns = slice(max(0, top - before), top + _ROWS + after)
        blocks.append((columns, band[top : top + _ROWS, columns].contiguous()))
    return blocks


def _along_columns(blocks: list[_Block], x: Tensor) -> Tensor:
    return torch.cat([block @ x[..., columns, :] for columns, block in blocks], -2)


def _along_rows(blocks: list[_Block], x: Tensor) -> Tensor:
    return torch.cat([x[..., columns] @ block.T for columns, block in blocks], -1)


def _sparse(columns: Tensor, values: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return a sparse matrix of so many entries in each row, and its transpose."""
    count, taps = columns.shape
    columns, values = columns.flatten(), values.flatten()
    starts = torch.arange(0, (count + 1) * taps, taps, dtype=torch.int32, device=columns.device)
    below = F.pad(torch.bincount(columns, minlength=width).cumsum(0), (1, 0)).int()
    order = torch.argsort(columns, stable=True)
    rows = order.int() // taps
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        there = torch.sparse_csr_tensor(
            starts, columns, values, (count, width), check_invariants=False
        )
        back = torch.sparse_csr_tensor(
            below, rows, values[order], (width, count), check_invariants=False
        )
    return there, back

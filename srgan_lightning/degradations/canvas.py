"""Pictures of different sizes in one batch."""

import dataclasses

import torch
from kornia.filters import filter2d
from torch import Tensor

from srgan_lightning.degradations.interpolation import interpolation_matrix


@dataclasses.dataclass(frozen=True)
class Canvas:
    """Pictures at the top left of canvases of one size; the sizes are known to the device alone.

    What lies beyond a picture's right and lower edge is without meaning and counts for nothing.

    Attributes:
        pixels: float32 `[B, C, H, W]`.
        height: the pictures' heights, whole numbers from 1 to H, `[B]`.
        width: their widths, `[B]`.
    """

    pixels: Tensor
    height: Tensor
    width: Tensor

    @classmethod
    def whole(cls, pixels: Tensor) -> "Canvas":
        """Take pictures `[B, C, H, W]` that fill their canvases."""
        height, width = (
            torch.full(pixels.shape[:1], side, device=pixels.device) for side in pixels.shape[-2:]
        )
        return cls(pixels, height, width)

    def paint(self, pixels: Tensor) -> "Canvas":
        """Return other pixels for the same pictures."""
        return dataclasses.replace(self, pixels=pixels)

    def extend(self) -> "Canvas":
        """Continue each picture's last row and column to the canvas's end, as JPEG does."""
        rows, columns = (
            torch.minimum(torch.arange(side, device=length.device), length[:, None] - 1)
            for side, length in self._axes()
        )
        return self.paint(self._pick(rows, columns))

    def blur(self, kernels: Tensor) -> "Canvas":
        """Filter each picture with a kernel; borders are reflected without repeating the edge.

        Args:
            kernels: `[B, K, K]`, K odd.
        """
        radius = kernels.shape[-1] // 2
        rows, columns = (_reflect(side, length, radius) for side, length in self._axes())
        padded = self._pick(rows, columns)
        return self.paint(filter2d(padded, kernels, padding="valid"))

    def resize(
        self, height: Tensor, width: Tensor, method: Tensor, *, shape: tuple[int, int]
    ) -> "Canvas":
        """Resize each picture to a size of its own; edges are continued as `extend` does.

        Args:
            height: the pictures' new heights, `[B]`.
            width: their new widths, `[B]`.
            method: one of `interpolation.METHODS` each, `[B]`.
            shape: height and width of the new canvas.
        """
        wanted = (height, width)
        rows, columns = (
            interpolation_matrix(length, target, method, shape=(new, side))[:, None]
            for (side, length), target, new in zip(self._axes(), wanted, shape, strict=True)
        )
        return Canvas(rows @ self.pixels @ columns.mT, height, width)

    def _axes(self) -> tuple[tuple[int, Tensor], tuple[int, Tensor]]:
        canvas_height, canvas_width = self.pixels.shape[-2:]
        return (canvas_height, self.height), (canvas_width, self.width)

    def _pick(self, rows: Tensor, columns: Tensor) -> Tensor:
        batch, channels, _, width = self.pixels.shape
        rows, columns = rows[:, None, :, None], columns[:, None, None, :]
        picked = self.pixels.gather(2, rows.expand(batch, channels, -1, width))
        return picked.gather(3, columns.expand(-1, channels, picked.shape[2], -1))


def _reflect(side: int, length: Tensor, radius: int) -> Tensor:
    """Return the pixel that stands at each place from −radius to side + radius − 1, `[B, n]`."""
    place = torch.arange(-radius, side + radius, device=length.device)
    period = (2 * length[:, None] - 2).clamp(min=1)
    turned = place % period
    return torch.minimum(turned, period - turned)

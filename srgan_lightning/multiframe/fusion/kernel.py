"""Kernel regression of frames that were held by hand (Wronski et al. 2019)."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.fused import Fused
from srgan_lightning.multiframe.fusion.robustness import Robustness
from srgan_lightning.multiframe.fusion.steering import steered_kernels
from srgan_lightning.multiframe.prepare import filled
from srgan_lightning.multiframe.ranking import noise_level
from srgan_lightning.multiframe.reference import least_moved

_LEAST_NOISE = 1e-5
_PAD = 2  # pixels around a frame that count for nothing
_AT_ONCE = 2**18  # HR pixels
_SEEN = 1e-20  # of weight


def kernel_regression(
    frames: Frames,
    motion: Motion,
    *,
    scale: int,
    device: torch.device | str = "cpu",
    on_pixels: Callable[[int], None] = lambda pixels: None,
) -> Fused:
    """Weigh the 3x3 pixels of each frame next to an HR pixel by kernels and by trust.

        x(p) = Σₙ Rₙ(p) Σᵢ wₙᵢ yₙᵢ / Σₙ Rₙ(p) Σᵢ wₙᵢ,   wₙᵢ = exp(−dₙᵢᵀ Ω(p)⁻¹ dₙᵢ / 2)

    where d is the way from p to the pixel, Ω `steered_kernels` of the reference and R
    `Robustness` against it. The reference is the frame that is moved least. HR pixels that no
    frame saw are NaN; the uncertainty is what the weights leave of the reference's noise. Memory
    does not depend on the number of frames.

    Args:
        frames: those to be fused.
        motion: of these frames.
        scale: the factor.
        device: where to compute; the result lies on the CPU.
        on_pixels: called after each frame with the number of its pixels.
    """
    height, width = frames.size
    motion = motion.to(torch.device(device))
    _, reference = least_moved(frames, motion)
    noise = torch.tensor([_noise(plane) for plane in filled(reference)], device=device)
    grey = filled(reference).mean(0)
    kernels = _inverse(_enlarged(steered_kernels(grey, noise=_noise(grey)), scale))
    robustness = Robustness(reference, noise=noise)
    sums = _Sums(frames.channels, height * scale, width * scale, device)
    for n, frame in enumerate(frames):
        frame = frame.to(device)
        trust = _enlarged(robustness(frame, motion, n)[None], scale)[0]
        bent = torch.linalg.inv(motion.matrices[n, :2, :2])
        padded = _padded(frame)
        for rows in _bands(height * scale, width * scale):
            grid = pixel_grid(rows.stop - rows.start, width * scale).to(device)
            grid[..., 1] += rows.start
            places = motion.points(n, (grid + 0.5) / scale - 0.5)
            sums.add(rows, padded, places, bent, kernels[:, rows], trust[rows])
        on_pixels(height * width)
    return sums.fused(noise)


class _Sums:
    """What has been added up on the HR grid."""

    def __init__(self, channels: int, height: int, width: int, device: torch.device | str) -> None:
        self._total = torch.zeros(channels, height, width, device=device)
        self._weight, self._square, self._count = torch.zeros(3, height, width, device=device)

    def add(
        self,
        rows: slice,
        padded: Tensor,
        places: Tensor,
        bent: Tensor,
        kernels: Tensor,
        trust: Tensor,
    ) -> None:
        """Add the pixels of a frame that are next to places in it.

        Args:
            rows: of HR.
            padded: the frame and what is known of it, `[C + 1, H + 4, W + 4]`.
            places: in the frame, `[rows, W, 2]`.
            bent: the way in the reference of a way in the frame, `[2, 2]`.
            kernels: Ω⁻¹, `[3, rows, W]`.
            trust: `[rows, W]`.
        """
        high, wide = padded.shape[-2:]
        last = places.new_tensor([wide, high]) - 2 * _PAD
        corner = places.round().clamp(min=-1).minimum(last)
        x, y = (corner.long() + _PAD).unbind(-1)
        flat = padded.flatten(1)
        ways = corner - places
        xx, xy, yy = kernels
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                step = ways.new_tensor([across, down])
                u, v = ((ways + step) @ bent.T).to(xx.dtype).unbind(-1)
                values = flat[:, (y + down) * wide + x + across]
                power = xx * u * u + 2 * xy * u * v + yy * v * v
                weight = torch.exp(-power / 2) * trust * values[-1]
                self._total[:, rows] += weight * values[:-1]
                self._weight[rows] += weight
                self._square[rows] += weight * weight
        self._count[rows] += trust * flat[-1, y * wide + x]

    def fused(self, noise: Tensor) -> Fused:
        weight = torch.where(self._weight > _SEEN, self._weight, torch.nan)
        uncertainty = noise[:, None, None] * (self._square.sqrt() / weight)
        return Fused((self._total / weight).cpu(), self._count.cpu(), uncertainty.cpu())


def _noise(plane: Tensor) -> float:
    return max(noise_level(plane), _LEAST_NOISE)


def _enlarged(planes: Tensor, scale: int) -> Tensor:
    """Read planes `[N, H, W]` bilinearly on the HR grid."""
    enlarged: Tensor = F.interpolate(planes[None], scale_factor=scale, mode="bilinear")
    return enlarged[0]


def _inverse(covariances: Tensor) -> Tensor:
    xx, xy, yy = covariances
    inverse: Tensor = torch.stack([yy, -xy, xx]) / (xx * yy - xy * xy)
    return inverse


def _padded(frame: Tensor) -> Tensor:
    known = frame.isfinite().all(0, keepdim=True)
    planes = torch.cat([torch.where(known, frame, 0), known.to(frame.dtype)])
    padded: Tensor = F.pad(planes, (_PAD,) * 4)
    return padded


def _bands(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _AT_ONCE // width)
    for top in range(0, height, rows):
        yield slice(top, min(height, top + rows))

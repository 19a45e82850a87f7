"""A burst: one scene seen in many frames that are moved, blurred, reduced and noisy."""

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan_lightning.degradations.base import (
    DEGRADATIONS,
    Degradation,
    Range,
    check_bounds,
    draw,
    to_8_bits,
)
from srgan_lightning.degradations.blur import gaussian_blur, gaussian_radius
from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.degradations.wander import random_motion


@DEGRADATIONS.register("burst")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Burst(Degradation):
    """Frame n = gainₙ · ((HR ∘ qₙ⁻¹) ⊗ Gₙ) ↓ scale + noise, hot pixels and cosmic rays.

    HR is read by `sample_cubic` where frame n looks; beyond its borders it goes on as in a mirror.
    The blurred picture is reduced by the mean of scale x scale pixels. Frame 0 is the reference: it
    is not moved, its gain is 1 and its blur as drawn. As a degradation of single pictures it yields
    that frame.

    Args:
        scale: the factor between HR and LR.
        frames: how many, the reference counted.
        shift: translation, ± pixels of LR.
        rotation: ± degrees, around the centre.
        affine: ± how far the linear part's entries differ from a rotation's.
        seeing: standard deviation of local warps in pixels of LR; 0 leaves them out.
        seeing_scale: over how many pixels of LR a local warp changes.
        blur_sigma: of the Gaussian G in pixels of LR, drawn for each picture.
        blur_spread: ± how far that of a frame differs from it.
        electrons: that white stands for in the shot noise; None leaves it out.
        read_noise: standard deviation in levels of 255.
        hot_pixels: the share of pixels that are too bright, in all frames the same.
        cosmic_rays: the share of pixels where a ray's track of three pixels begins.
        drift: ± how far the gain of a frame differs from 1.
        quantize: round the frames to 8 bits.

    Raises:
        UserError: for a number out of bounds.
    """

    frames: int = 16
    shift: float = 2.0
    rotation: float = 0.0
    affine: float = 0.0
    seeing: float = 0.0
    seeing_scale: float = 16.0
    blur_sigma: Range = (0.5, 0.5)
    blur_spread: float = 0.0
    electrons: float | None = None
    read_noise: float = 1.0
    hot_pixels: float = 0.0
    cosmic_rays: float = 0.0
    drift: float = 0.0
    quantize: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds("frames", self.frames, low=1)
        not_below_0 = "shift", "rotation", "seeing", "blur_sigma", "blur_spread", "read_noise"
        for option in not_below_0:
            check_bounds(option, getattr(self, option), low=0)
        check_bounds("seeing_scale", self.seeing_scale, low=2)
        check_bounds("affine", self.affine, low=0, high=0.5)
        for option in ("hot_pixels", "cosmic_rays", "drift"):
            check_bounds(option, getattr(self, option), low=0, high=1)
        if self.electrons is not None:
            check_bounds("electrons", self.electrons, low=1)

    def reduce(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the reference frame."""
        return dataclasses.replace(self, frames=1).observe(hr, generator)[0][:, 0]

    def observe(
        self,
        hr: Tensor,
        generator: torch.Generator | None = None,
        *,
        motions: list[Motion] | None = None,
        sigma: Tensor | None = None,
    ) -> tuple[Tensor, list[Motion]]:
        """Make a burst of each picture.

        Args:
            hr: float32 `[B, C, H, W]` in [0, 1]; H and W multiples of the scale.
            generator: the source of the draws, on HR's device; None is torch's global one.
            motions: how the frames of each picture move; None draws it.
            sigma: of each picture's blur, `[B]`, at most `blur_sigma`'s end; None draws it.

        Returns:
            The frames, float32 `[B, N, C, H / scale, W / scale]` in [0, 1], and where each
            picture's reference lies in its frames, exactly, in pixels of LR.
        """
        size = hr.shape[-2] // self.scale, hr.shape[-1] // self.scale
        motions = motions or [self._wander(size, hr, generator) for _ in hr]
        place = torch.rand(hr.shape[0], 1, *size, generator=generator, device=hr.device)
        hot = _brightness(place, self.hot_pixels)
        if sigma is None:
            sigma = self.draw_blur(hr, generator)
        frames = [
            self._frame(hr, motions, n, sigma, hot, generator)
            for n in range(len(motions[0].matrices))
        ]
        return torch.stack(frames, dim=1), motions

    def draw_blur(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw σ of the blur of each picture `[B, C, H, W]`, in pixels of LR: `[B]`."""
        return draw(self.blur_sigma, hr, generator)

    def _wander(
        self, size: tuple[int, int], hr: Tensor, generator: torch.Generator | None
    ) -> Motion:
        return random_motion(
            self.frames,
            size,
            shift=self.shift,
            rotation=self.rotation,
            affine=self.affine,
            seeing=self.seeing,
            seeing_scale=self.seeing_scale,
            generator=generator,
            device=hr.device,
        )

    def _frame(
        self,
        hr: Tensor,
        motions: list[Motion],
        n: int,
        sigma: Tensor,
        hot: Tensor,
        generator: torch.Generator | None,
    ) -> Tensor:
        radius = gaussian_radius((self.blur_sigma[1] + self.blur_spread) * self.scale)
        if n:
            spread = draw((-self.blur_spread, self.blur_spread), hr, generator)
            sigma = (sigma + spread).clamp(min=0)
        places = [self._places(motion, n, hr, margin=radius) for motion in motions]
        moved = sample_cubic(hr, torch.stack(places))
        blurred = gaussian_blur(moved, sigma * self.scale, radius=radius)[
            ..., radius:-radius, radius:-radius
        ]
        gain = draw((1 - self.drift, 1 + self.drift), hr, generator) if n else hr.new_ones(len(hr))
        light = F.avg_pool2d(blurred, self.scale) * gain.view(-1, 1, 1, 1)
        return self._sensed(light.clamp(0, 1), hot, generator)

    def _places(self, motion: Motion, n: int, hr: Tensor, *, margin: int) -> Tensor:
        """Return where the pixels of frame n, at HR's size and with a margin, lie in HR."""
        y, x = (
            torch.arange(-margin, side + margin, device=hr.device, dtype=torch.float64)
            for side in hr.shape[-2:]
        )
        fine = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        here = motion.back(n, (fine + 0.5) / self.scale - 0.5)
        return (here + 0.5) * self.scale - 0.5

    def _sensed(self, light: Tensor, hot: Tensor, generator: torch.Generator | None) -> Tensor:
        if self.electrons is not None:
            light = torch.poisson(light * self.electrons, generator=generator) / self.electrons
        noise = torch.randn(light.shape, generator=generator, device=light.device)
        light = light + noise * (self.read_noise / 255) + hot + self._tracks(light, generator)
        return to_8_bits(light) if self.quantize else light.clamp(0, 1)

    def _tracks(self, light: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw tracks of cosmic rays, each of three pixels in one of two directions."""
        place = torch.rand(light[:, :1].shape, generator=generator, device=light.device)
        struck = _brightness(place, self.cosmic_rays)
        steep = place < self.cosmic_rays / 2
        down, across = struck * steep, struck * ~steep
        return F.max_pool2d(down, (3, 1), 1, (1, 0)) + F.max_pool2d(across, (1, 3), 1, (0, 1))


def _brightness(place: Tensor, share: float) -> Tensor:
    """Make a share of evenly drawn numbers the brightness of defects, 0.3 to 1; the others 0."""
    return (place < share) * (0.3 + 0.7 * place / max(share, 1e-9))

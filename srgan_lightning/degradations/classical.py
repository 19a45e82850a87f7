"""The classical model of a poor photograph: blur, reduction, noise, JPEG."""

import dataclasses
import math

import torch
from torch import Tensor

from srgan_lightning.degradations.base import (
    DEGRADATIONS,
    Degradation,
    Range,
    check_bounds,
    draw,
    to_8_bits,
)
from srgan_lightning.degradations.blur import anisotropic_blur, gaussian_radius
from srgan_lightning.degradations.jpeg import jpeg
from srgan_lightning.degradations.resize import Kernel, resize_weights
from srgan_lightning.errors import UserError


@DEGRADATIONS.register("classical")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Classical(Degradation):
    """LR = JPEG((HR ⊗ k) ↓ scale + n) in 8 bits, each part drawn anew for every image.

    The default ranges are those of the first stage of Real-ESRGAN (Wang et al. 2021).

    Args:
        scale: the factor between HR and LR.
        blur_sigma: standard deviations of the Gaussian k in HR pixels.
        anisotropic: the probability that k is an ellipse, turned by any angle, with both axes
            drawn from `blur_sigma`; otherwise it is round.
        resize: the antialiased kernels of the reduction, one of them drawn per image.
        noise_sigma: standard deviation of the Gaussian noise n, in levels of 255.
        jpeg_quality: libjpeg's quality, 1 to 100; None leaves JPEG out.

    Raises:
        UserError: for a range out of bounds, no resize kernel, or an HR picture no larger than
            the blur kernel's radius.
    """

    blur_sigma: Range = (0.2, 3.0)
    anisotropic: float = 0.5
    resize: tuple[Kernel, ...] = ("box", "triangle", "cubic")
    noise_sigma: Range = (1.0, 30.0)
    jpeg_quality: Range | None = (30.0, 95.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds("blur_sigma", self.blur_sigma, low=0.01)
        check_bounds("anisotropic", self.anisotropic, low=0, high=1)
        check_bounds("noise_sigma", self.noise_sigma, low=0)
        if self.jpeg_quality is not None:
            check_bounds("jpeg_quality", self.jpeg_quality, low=1, high=100)
        if not self.resize:
            raise UserError("degradation.resize: names no kernel; give at least one, as in [cubic]")

    def reduce(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        """Blur, reduce, add noise, compress."""
        lr = self._resize(self._blur(hr, generator), generator)
        noise = torch.randn(lr.shape, generator=generator, device=lr.device)
        strength = draw(self.noise_sigma, lr, generator) / 255
        lr = (lr + strength.view(-1, 1, 1, 1) * noise).clamp(0, 1)
        if self.jpeg_quality is not None:
            return jpeg(lr, draw(self.jpeg_quality, lr, generator))
        return to_8_bits(lr)

    def _blur(self, hr: Tensor, generator: torch.Generator | None) -> Tensor:
        first = draw(self.blur_sigma, hr, generator)
        second = draw(self.blur_sigma, hr, generator)
        is_round = draw((0.0, 1.0), hr, generator) >= self.anisotropic
        sigmas = torch.stack([first, torch.where(is_round, first, second)], dim=1)
        angle = draw((0.0, math.pi), hr, generator)
        return anisotropic_blur(hr, sigmas, angle, radius=gaussian_radius(self.blur_sigma[1]))

    def _resize(self, image: Tensor, generator: torch.Generator | None) -> Tensor:
        kinds, images = len(self.resize), len(image)
        choice = torch.randint(kinds, (images,), generator=generator, device=image.device)

        def weights(side: int) -> Tensor:
            shape = side, side // self.scale, 1 / self.scale
            target = image.device, image.dtype
            matrices = [resize_weights(*shape, kernel, True, *target) for kernel in self.resize]
            return torch.stack(matrices)[choice, None]

        height, width = image.shape[-2:]
        return weights(height) @ image @ weights(width).mT

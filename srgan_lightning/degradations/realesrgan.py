"""Real-ESRGAN's degradation: what happens to a photograph before anybody enlarges it, twice."""

import dataclasses
import math

import torch
from pydantic import ConfigDict
from torch import Tensor

from srgan_lightning.degradations.base import (
    DEGRADATIONS,
    Degradation,
    Range,
    check_bounds,
    draw,
    to_8_bits,
)
from srgan_lightning.degradations.blur_kernels import bell_kernel, pulse, sinc_kernel
from srgan_lightning.degradations.canvas import Canvas
from srgan_lightning.degradations.draws import (
    check_around_one,
    check_shares,
    choose,
    draw_around_one,
    happens,
)
from srgan_lightning.degradations.interpolation import METHODS
from srgan_lightning.degradations.jpeg import jpeg
from srgan_lightning.degradations.noise import add_noise
from srgan_lightning.errors import UserError

Draws = torch.Generator | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """One of the two rounds of blur, resizing, noise and JPEG.

    Args:
        blur: the probability of a blur.
        blur_sigma: standard deviations of its kernel, in pixels.
        resize: the factors' range, from below 1 to above; of HR's size in the first round, of
            LR's in the second.
        resize_shares: how often the picture grows, shrinks, stays, in proportion.
        noise_sigma: standard deviation of Gaussian noise, in levels of 255.
        poisson_scale: factor of Poisson's noise.
        jpeg_quality: libjpeg's quality, 1 to 100.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    blur: float
    blur_sigma: Range
    resize: Range
    resize_shares: tuple[float, float, float]
    noise_sigma: Range
    poisson_scale: Range
    jpeg_quality: Range

    def check(self, name: str) -> None:
        """Raise a `UserError` for a value out of bounds."""
        check_bounds(f"{name}.blur", self.blur, low=0, high=1)
        check_bounds(f"{name}.blur_sigma", self.blur_sigma, low=0.01)
        check_around_one(f"{name}.resize", self.resize, low=0.01)
        check_shares(f"{name}.resize_shares", self.resize_shares)
        check_bounds(f"{name}.noise_sigma", self.noise_sigma, low=0)
        check_bounds(f"{name}.poisson_scale", self.poisson_scale, low=0)
        check_bounds(f"{name}.jpeg_quality", self.jpeg_quality, low=1, high=100)


FIRST = Order(
    blur=1.0,
    blur_sigma=(0.2, 3.0),
    resize=(0.15, 1.5),
    resize_shares=(0.2, 0.7, 0.1),
    noise_sigma=(1.0, 30.0),
    poisson_scale=(0.05, 3.0),
    jpeg_quality=(30.0, 95.0),
)
SECOND = Order(
    blur=0.8,
    blur_sigma=(0.2, 1.5),
    resize=(0.3, 1.2),
    resize_shares=(0.3, 0.4, 0.3),
    noise_sigma=(1.0, 25.0),
    poisson_scale=(0.05, 2.5),
    jpeg_quality=(30.0, 95.0),
)
KERNEL_SHARES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


@DEGRADATIONS.register("realesrgan")
@dataclasses.dataclass(frozen=True, kw_only=True)
class RealESRGAN(Degradation):
    """The second-order degradation of Real-ESRGAN (Wang et al. 2021, fig. 2).

    Twice blur, resizing by any factor (area, bilinear or bicubic), Gaussian or Poisson noise and
    JPEG; at last, before or after the second JPEG, resizing to LR's size and a sinc filter. Every
    image of a batch has draws of its own. The defaults are those of the published x4 model, whose
    training compared SR with a sharpened HR besides; that is no part of the degradation.

    Args:
        scale: the factor between HR and LR.
        first: the first round, at HR's size.
        second: the second round, at LR's size.
        kernel_size: smallest and largest side of blur kernels, odd, in pixels.
        kernel_shares: how often a kernel is a round or an elliptic Gaussian, a round or an elliptic
            generalized Gaussian, a round or an elliptic plateau, in proportion.
        beta_generalized: the generalized Gaussian's power β; half of the draws are below 1.
        beta_plateau: the plateau's power β; half of the draws are below 1, or 1.
        sinc: the probability that a blur is a sinc filter.
        final_sinc: the probability of the last sinc filter.
        gaussian_noise: the probability that noise is Gaussian, not Poisson's.
        grey_noise: the probability that noise is alike in all channels.

    Raises:
        UserError: for a value out of bounds.
    """

    first: Order = FIRST
    second: Order = SECOND
    kernel_size: tuple[int, int] = (7, 21)
    kernel_shares: tuple[float, float, float, float, float, float] = KERNEL_SHARES
    beta_generalized: Range = (0.5, 4.0)
    beta_plateau: Range = (1.0, 2.0)
    sinc: float = 0.1
    final_sinc: float = 0.8
    gaussian_noise: float = 0.5
    grey_noise: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        self.first.check("first")
        self.second.check("second")
        check_bounds("kernel_size", self.kernel_size, low=3)
        if not all(size % 2 for size in self.kernel_size):
            raise UserError(f"degradation.kernel_size: must be odd; got {list(self.kernel_size)}")
        check_shares("kernel_shares", self.kernel_shares)
        check_around_one("beta_generalized", self.beta_generalized, low=0.01)
        check_around_one("beta_plateau", self.beta_plateau, low=0.01)
        for option in ("sinc", "final_sinc", "gaussian_noise", "grey_noise"):
            check_bounds(option, getattr(self, option), low=0, high=1)

    def reduce(self, hr: Tensor, generator: Draws) -> Tensor:
        """Degrade twice, then filter, resize and compress for the last time."""
        height, width = hr.shape[-2:]
        size = height // self.scale, width // self.scale
        canvas = self._degrade(
            Canvas.whole(hr.contiguous()), self.first, (height, width), generator
        )
        canvas = canvas.paint(jpeg(canvas.pixels, draw(self.first.jpeg_quality, hr, generator)))
        canvas = self._degrade(canvas, self.second, size, generator)

        quality = draw(self.second.jpeg_quality, hr, generator)
        early = happens(0.5, hr, generator).view(-1, 1, 1, 1)
        canvas = canvas.paint(torch.where(early, jpeg(canvas.pixels, quality), canvas.pixels))
        lr_height, lr_width = (torch.full_like(canvas.height, side) for side in size)
        method = choose([1.0] * len(METHODS), hr, generator)
        canvas = canvas.resize(lr_height, lr_width, method, shape=size)
        lr = canvas.blur(self._last_kernel(hr, generator)).pixels.clamp(0, 1)
        return to_8_bits(torch.where(early, lr, jpeg(lr, quality)))

    def _degrade(
        self, canvas: Canvas, order: Order, size: tuple[int, int], generator: Draws
    ) -> Canvas:
        """Blur, resize to a multiple of `size`, add noise."""
        image = canvas.pixels
        canvas = canvas.blur(self._kernel(order, image, generator))

        kind = choose(order.resize_shares, image, generator)
        factor = draw_around_one(order.resize, kind == 0, image, generator)
        factor = torch.where(kind == 2, 1, factor)
        most_high, most_wide = (max(1, math.floor(side * order.resize[1])) for side in size)
        canvas = canvas.resize(
            (factor * size[0]).long().clamp(1, most_high),
            (factor * size[1]).long().clamp(1, most_wide),
            choose([1.0] * len(METHODS), image, generator),
            shape=(most_high, most_wide),
        )
        noisy = add_noise(
            canvas.pixels,
            gaussian=happens(self.gaussian_noise, image, generator),
            sigma=draw(order.noise_sigma, image, generator),
            poisson_scale=draw(order.poisson_scale, image, generator),
            grey=happens(self.grey_noise, image, generator),
            generator=generator,
        )
        return canvas.paint(noisy).extend()

    def _kernel(self, order: Order, image: Tensor, generator: Draws) -> Tensor:
        """Draw each image's blur kernel, `[B, K, K]`."""
        radius = self.kernel_size[1] // 2
        size = self._size(image, generator)
        kind = choose(self.kernel_shares, image, generator)
        elliptic, generalized, plateau = kind % 2 == 1, kind >= 2, kind >= 4

        first = draw(order.blur_sigma, image, generator)
        second = draw(order.blur_sigma, image, generator)
        sigmas = torch.stack([first, torch.where(elliptic, second, first)], dim=1)
        angle = draw((0.0, math.pi), image, generator)
        upper = happens(0.5, image, generator)
        beta = torch.where(
            plateau,
            draw_around_one(self.beta_plateau, upper, image, generator),
            draw_around_one(self.beta_generalized, upper, image, generator),
        )
        beta = torch.where(generalized, beta, 1)
        bell = bell_kernel(sigmas, angle, beta, plateau, size, radius=radius)

        lowest = torch.where(size < 13, math.pi / 3, math.pi / 5)
        cutoff = lowest + (math.pi - lowest) * draw((0.0, 1.0), image, generator)
        wave = sinc_kernel(cutoff, size, radius=radius)
        is_wave, blurs = (
            happens(probability, image, generator).view(-1, 1, 1)
            for probability in (self.sinc, order.blur)
        )
        return torch.where(blurs, torch.where(is_wave, wave, bell), pulse(radius, image))

    def _last_kernel(self, image: Tensor, generator: Draws) -> Tensor:
        """Draw each image's last sinc filter, `[B, K, K]`."""
        radius = self.kernel_size[1] // 2
        cutoff = draw((math.pi / 3, math.pi), image, generator)
        wave = sinc_kernel(cutoff, self._size(image, generator), radius=radius)
        filters = happens(self.final_sinc, image, generator).view(-1, 1, 1)
        return torch.where(filters, wave, pulse(radius, image))

    def _size(self, image: Tensor, generator: Draws) -> Tensor:
        """Draw an odd side for each kernel, `[B]`."""
        low, high = self.kernel_size
        count = (high - low) // 2 + 1
        steps = torch.randint(count, image.shape[:1], generator=generator, device=image.device)
        return low + 2 * steps

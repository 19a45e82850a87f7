"""All that is measured of one SR picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from srgan_lightning.degradations.base import Degradation
from srgan_lightning.evaluation.alignment import aligned
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.inference.tiling import seam_energy
from srgan_lightning.inference.upscaler import CELL
from srgan_lightning.metrics.colour import colour_shift_of_levels
from srgan_lightning.metrics.functional import (
    WINDOW,
    psnr,
    psnr_of_levels,
    sharpness_of_levels,
    similarity,
)
from srgan_lightning.metrics.multiscale import SMALLEST, ms_ssim_of_levels
from srgan_lightning.metrics.perceptual import LearnedDistance
from srgan_lightning.metrics.preparation import prepare, quantize, to_y


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """Measures SR against its pair.

    Attributes:
        protocol: the terms.
        degradation: what made LR of HR, where it draws nothing at random; SR is reduced by it
            again to see whether it agrees with LR. None leaves "lr_psnr" out.
        distances: LPIPS and DISTS, where their weights are at hand.
    """

    protocol: Protocol
    degradation: Degradation | None = None
    distances: Sequence[LearnedDistance] = ()

    def __call__(self, sr: Tensor, pair: BenchmarkPair) -> dict[str, float]:
        """Measure.

        Args:
            sr: float [1, 3, H, W], nominally in [0, 1].
            pair: LR that SR was made of, and HR.

        Returns:
            "psnr" in dB, "ssim", "ms_ssim" (not of pictures below 176 pixels), the distances by
            name, "lr_psnr" (PSNR in dB between LR and SR reduced to it, uncropped), "sharpness"
            (the share of HR's high-frequency energy that SR has), "seams" (see `seam_energy`: how
            much borders of 96-pixel cells of LR would show, and do where SR was made so; not of
            pictures without such a border), "brightness" and "colour" (mean shifts of luma and
            chroma in levels). Where the protocol aligns, "shift": by how many HR pixels SR was
            moved, at most by one LR pixel.

        Raises:
            UserError: for a picture too small for the protocol, SR that is not as large as HR.
        """
        hr, crop, space = pair.hr.cpu(), self.protocol.crop, self.protocol.space
        scale, shift = hr.shape[-1] // pair.lr.shape[-1], None
        if self.protocol.alignment and sr.shape == hr.shape:
            sr, shift = aligned(sr, hr, border=crop, most=scale)
        rgb = prepare(sr, hr, crop=crop, space="rgb", smallest=WINDOW)
        luma = to_y(rgb[0] / 255), to_y(rgb[1] / 255)
        levels = luma if space == "y" else rgb
        whole, structure = similarity(*levels)
        figures = {"psnr": psnr_of_levels(*levels), "ssim": whole.mean(1)}
        if min(luma[0].shape[-2:]) >= SMALLEST:
            figures["ms_ssim"] = ms_ssim_of_levels(*levels, structure)
        for distance in self.distances:
            figures[distance.name] = distance(sr, hr, crop=crop)
        if self.degradation is not None:
            reduced = self.degradation((quantize(sr) / 255).float())
            figures["lr_psnr"] = psnr(reduced, pair.lr.cpu(), crop=0, space=space)
        figures["sharpness"] = sharpness_of_levels(*luma, scale=scale)
        seams = seam_energy(sr[0].mean(0)[..., None].numpy(), period=CELL * scale)
        if seams is not None:
            figures["seams"] = torch.tensor(seams)
        figures["brightness"] = (luma[0] - luma[1]).mean(dim=(1, 2, 3))
        figures["colour"] = colour_shift_of_levels(*rgb)
        measured = {name: figure.item() for name, figure in figures.items()}
        return measured if shift is None else {**measured, "shift": shift}


def is_deterministic(degradation: Degradation) -> bool:
    """Tell whether a degradation draws nothing: two seeds make the same LR of a noise picture.

    Example:
        >>> from srgan_lightning.degradations import DEGRADATIONS
        >>> is_deterministic(DEGRADATIONS.build("bicubic", {}))
        True
        >>> is_deterministic(DEGRADATIONS.build("blur_bicubic", {"sigma": [1.0, 2.0]}))
        False
    """
    side = 32 * degradation.scale
    noise = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    one, other = (degradation(noise, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    return torch.equal(one, other)

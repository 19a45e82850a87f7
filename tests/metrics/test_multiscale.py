"""MS-SSIM against torchmetrics and against a plain NumPy transcription of its paper."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from srgan_lightning.errors import UserError
from srgan_lightning.metrics import ms_ssim, quantize, to_y


def pair(height=201, width=190, noise=0.1):
    draws = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 8 + 1, width // 8 + 1, generator=draws)
    hr = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return hr + noise * torch.randn(hr.shape, generator=draws), hr


def numpy_ms_ssim(a, b):
    x = np.arange(11) - 5
    window = np.exp(-(x[:, None] ** 2 + x**2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(image):
        return convolve2d(image, window, mode="valid")

    def halve(image):
        height, width = (side // 2 * 2 for side in image.shape)
        return image[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    product = 1.0
    for scale, beta in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        ma, mb = blur(a), blur(b)
        va, vb, cov = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
        cs = (2 * cov + c2) / (va + vb + c2)
        luminance = (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
        product *= max((cs * (luminance if scale == 4 else 1)).mean(), 0) ** beta
        a, b = halve(a), halve(b)
    return product


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.5])
@pytest.mark.parametrize(("height", "width", "crop"), [(184, 201, 4), (176, 197, 0), (207, 190, 5)])
def test_luma_is_the_paper_s(height, width, crop, noise):
    sr, hr = pair(height, width, noise)
    inner = slice(crop, -crop or None)
    lumas = [to_y(quantize(image)[0] / 255)[0, inner, inner].numpy() for image in (sr, hr)]
    assert ms_ssim(sr, hr, crop=crop).item() == pytest.approx(numpy_ms_ssim(*lumas), abs=1e-9)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.5])
def test_torchmetrics_agrees_but_for_its_mirrored_borders_at_the_last_scale(noise):
    sr, hr = pair(noise=noise)
    levels = [quantize(image)[..., 4:-4, 4:-4] for image in (sr, hr)]
    channels = [
        multiscale_structural_similarity_index_measure(
            *(image[:, c : c + 1] for image in levels), data_range=255.0
        ).item()
        for c in range(3)
    ]
    assert ms_ssim(sr, hr, space="rgb").item() == pytest.approx(np.mean(channels), abs=2e-3)


def test_opposites_are_not_alike_at_all():
    _, hr = pair()
    value = ms_ssim(1 - hr, hr).item()
    assert value == 0


def test_a_batch_gives_each_images_figure():
    sr, hr = (torch.cat([image, image.flip(-1) ** 2]) for image in pair())
    singles = [ms_ssim(sr[i : i + 1], hr[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(ms_ssim(sr, hr), torch.cat(singles), rtol=1e-12, atol=0)


def test_five_scales_need_176_pixels():
    sr, hr = pair(183, 200)
    with pytest.raises(UserError, match="must keep 176x176 pixels"):
        ms_ssim(sr, hr)
    assert 0 < ms_ssim(*pair(184, 184)).item() < 1

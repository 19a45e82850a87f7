"""The metrics add up over batches and processes."""

import pytest
import torch

from srgan_lightning.metrics import (
    MSSSIM,
    PSNR,
    SSIM,
    BrightnessShift,
    ColourShift,
    Sharpness,
    brightness_shift,
    colour_shift,
    ms_ssim,
    psnr,
    sharpness,
    ssim,
)

METRICS = [
    (PSNR, psnr),
    (SSIM, ssim),
    (MSSSIM, ms_ssim),
    (Sharpness, sharpness),
    (BrightnessShift, brightness_shift),
    (ColourShift, colour_shift),
]


def batches():
    generator = torch.Generator().manual_seed(0)
    for size, noise in ((2, 0.02), (1, 0.3), (3, 0.1)):
        hr = torch.rand(size, 3, 184, 190, generator=generator)
        yield hr + noise * torch.randn(hr.shape, generator=generator), hr


@pytest.mark.parametrize(("metric", "function"), METRICS)
def test_each_image_counts_once(metric, function):
    metric = metric()
    for sr, hr in batches():
        metric.update(sr, hr)
    expected = torch.cat([function(sr, hr) for sr, hr in batches()]).mean()
    assert metric.compute().item() == pytest.approx(expected.item(), rel=1e-6)
    metric.reset()
    sr, hr = next(batches())
    metric.update(sr, hr)
    assert metric.compute().item() == pytest.approx(function(sr, hr).mean().item(), rel=1e-6)


@pytest.mark.parametrize(("metric", "function"), METRICS)
def test_two_processes_give_the_mean_over_all_images(metric, function):
    here, there = metric(), metric()
    for index, (sr, hr) in enumerate(batches()):
        (here, there)[index % 2].update(sr, hr)  # unequal shares

    def gather(state, group):
        return [state, there.total if state is here.total else there.count]

    here.dist_sync_fn, here.distributed_available_fn = gather, lambda: True
    expected = torch.cat([function(sr, hr) for sr, hr in batches()]).mean()
    assert here.compute().item() == pytest.approx(expected.item(), rel=1e-6)


def test_options_reach_the_figures():
    sr, hr = next(batches())
    for options in ({"crop": 0, "space": "rgb"}, {"crop": 6, "space": "y"}):
        metric = PSNR(**options)
        metric.update(sr, hr)
        expected = psnr(sr, hr, **options).mean().item()
        assert metric.compute().item() == pytest.approx(expected, rel=1e-6)

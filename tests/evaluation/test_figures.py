import pytest
import torch

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.evaluation import BenchmarkPair, Contender, Protocol, Ruler, measure
from srgan_lightning.evaluation.figures import is_deterministic
from srgan_lightning.metrics import (
    brightness_shift,
    colour_shift,
    ms_ssim,
    psnr,
    quantize,
    sharpness,
    ssim,
)

BICUBIC = DEGRADATIONS.build("bicubic", {}, scale=4)


def pair(side: int = 192) -> BenchmarkPair:
    draws = torch.Generator().manual_seed(side)
    hr = torch.rand(1, 3, side, side, generator=draws).mul(255).round() / 255
    return BenchmarkPair("noise", BICUBIC(hr), hr)


@pytest.mark.parametrize("space", ["y", "rgb"])
def test_every_figure_is_its_metric(space):
    one = pair()
    sr = one.hr * 0.9
    protocol = Protocol(degradation="bicubic", space=space, crop=6)
    figures = Ruler(protocol=protocol, degradation=BICUBIC)(sr, one)
    rounded = (quantize(sr) / 255).float()
    assert figures == {
        "psnr": psnr(sr, one.hr, crop=6, space=space).item(),
        "ssim": ssim(sr, one.hr, crop=6, space=space).item(),
        "ms_ssim": ms_ssim(sr, one.hr, crop=6, space=space).item(),
        "lr_psnr": psnr(BICUBIC(rounded), one.lr, crop=0, space=space).item(),
        "sharpness": sharpness(sr, one.hr, crop=6).item(),
        "brightness": brightness_shift(sr, one.hr, crop=6).item(),
        "colour": colour_shift(sr, one.hr, crop=6).item(),
    }


def test_hr_agrees_with_its_lr_in_full():
    one = pair()
    assert Ruler(protocol=Protocol(degradation=""), degradation=BICUBIC)(one.hr, one)[
        "lr_psnr"
    ] == float("inf")


def test_a_small_picture_has_no_ms_ssim_and_an_unknown_degradation_no_consistency():
    figures = Ruler(protocol=Protocol(degradation=""))(pair(64).hr, pair(64))
    assert "ms_ssim" not in figures
    assert "lr_psnr" not in figures


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"name": "bicubic"}, True),
        ({"name": "blur_bicubic"}, True),
        ({"name": "blur_bicubic", "sigma": [0.8, 2.4]}, False),
        ({"name": "classical"}, False),
    ],
)
def test_degradations_that_draw_are_told_from_those_that_do_not(node, expected):
    name = node.pop("name")
    assert is_deterministic(DEGRADATIONS.build(name, node, scale=4)) is expected


class Copy:
    name = "copy"

    def __call__(self, pair: BenchmarkPair) -> torch.Tensor:
        return pair.hr


def test_learned_distances_and_costs_come_into_the_row():
    class Distance:
        name = "lpips"

        def __call__(self, sr, hr, *, crop):
            assert crop == 4
            return torch.tensor([0.25])

    one = pair()
    ruler = Ruler(protocol=Protocol(degradation=""), distances=[Distance()])
    kept = []
    contender = Contender("ours", Copy(), run="seed0", costs={"parameters": 7.0})
    (row,) = measure([contender], [one], ruler, keep=lambda *given: kept.append(given))
    assert (row.method, row.run, row.picture) == ("ours", "seed0", "noise")
    assert row.figures["lpips"] == 0.25
    assert row.figures["parameters"] == 7
    megapixels = 192 * 192 / 1e6
    assert row.figures["megapixels"] == pytest.approx(megapixels / row.figures["seconds"])
    assert kept[0][0] is contender
    assert torch.equal(kept[0][2], one.hr)

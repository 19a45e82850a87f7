from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.degradations.bicubic import Bicubic
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import (
    BenchmarkPair,
    DegradedPairs,
    GeneratorModel,
    GivenPairs,
    Protocol,
    evaluate,
)
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.metrics.functional import psnr, sharpness, ssim

SHARED = Path(__file__).parents[2] / "../shared/data/eval"
BICUBIC = GeneratorModel(
    name="bicubic", upscaler=TorchUpscaler.load("bicubic", precision="32-true")
)


class Answers:
    """A model that knows the SR of each pair beforehand."""

    name = "answers"

    def __init__(self, **sr: torch.Tensor) -> None:
        self.sr = sr

    def __call__(self, pair: BenchmarkPair) -> torch.Tensor:
        return self.sr[pair.name]


def pair(name: str, seed: int = 0, height: int = 32, width: int = 40) -> BenchmarkPair:
    draws = torch.Generator().manual_seed(seed)
    lr = torch.rand(1, 3, height // 4, width // 4, generator=draws)
    return BenchmarkPair(name, lr, torch.rand(1, 3, height, width, generator=draws))


@pytest.mark.parametrize("space", ["y", "rgb"])
@pytest.mark.parametrize("crop", [0, 4, 6])
def test_figures_are_the_metrics_by_the_protocol(space, crop):
    first, second = pair("a", 1), pair("b", 2)
    sr = {"a": first.hr * 0.9, "b": second.hr.flip(-1)}
    protocol = Protocol(degradation="none", space=space, crop=crop)
    table = evaluate(Answers(**sr), [first, second], protocol)
    assert [(row.method, row.picture) for row in table.rows] == [("answers", "a"), ("answers", "b")]
    for row, one in zip(table.rows, (first, second), strict=True):
        expected = sr[one.name], one.hr
        assert row.figures["psnr"] == psnr(*expected, crop=crop, space=space).item()
        assert row.figures["ssim"] == ssim(*expected, crop=crop, space=space).item()
        assert row.figures["sharpness"] == sharpness(*expected, crop=crop).item()
        assert row.figures["seconds"] >= 0


def test_the_set_s_figure_is_the_mean_of_figures_not_of_errors():
    first, second = pair("a", 1), pair("b", 2)
    sr = {"a": first.hr * 0.99, "b": second.hr * 0.5}
    table = evaluate(Answers(**sr), [first, second], Protocol(degradation="none"))
    singles = [psnr(sr[p.name], p.hr).item() for p in (first, second)]
    assert table.mean("answers")["psnr"] == pytest.approx(np.mean(singles), abs=1e-12)


def test_equal_pictures_are_infinitely_good():
    one = pair("a")
    figures = evaluate(Answers(a=one.hr), [one], Protocol(degradation="none")).mean("answers")
    assert figures["psnr"] == float("inf")
    assert figures["ssim"] == pytest.approx(1)
    assert figures["sharpness"] == pytest.approx(1)


def test_unfit_pictures_are_named():
    small = pair("tiny", height=16, width=16)
    with pytest.raises(UserError, match=r"answers on tiny: .*too small"):
        evaluate(Answers(tiny=small.hr), [small], Protocol(degradation="none"))
    one = pair("a")
    with pytest.raises(UserError, match=r"answers on a: .*same size"):
        evaluate(Answers(a=one.lr), [one], Protocol(degradation="none"))


def test_the_stamp_tells_every_term():
    stamp = Protocol(degradation="given files (X4)", space="rgb", crop=8).stamp()
    assert stamp == "RGB, 8 pixels cropped at each border, LR by given files (X4)"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is absent")
@pytest.mark.parametrize(
    ("space", "expected"), [("y", (28.4305, 0.8113)), ("rgb", (26.6947, 0.7734))]
)
def test_bicubic_on_set5_has_the_protocol_s_figures(space, expected):
    pairs = GivenPairs(SHARED / "Set5", SHARED / "Set5_LRbicx4", scale=4)
    protocol = Protocol(degradation="given files", space=space)
    figures = evaluate(BICUBIC, pairs, protocol).mean("bicubic")
    assert round(figures["psnr"], 4) == expected[0]
    assert round(figures["ssim"], 4) == expected[1]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is absent")
def test_given_lr_and_the_bicubic_degradation_are_the_same_benchmark():
    protocol = Protocol(degradation="bicubic")
    given = GivenPairs(SHARED / "Set5", SHARED / "Set5_LRbicx4", scale=4)
    made = DegradedPairs(SHARED / "Set5", degradation=Bicubic(scale=4))
    one, other = (evaluate(BICUBIC, pairs, protocol) for pairs in (given, made))
    assert one.mean("bicubic")["psnr"] == other.mean("bicubic")["psnr"]


def test_pictures_are_read_from_any_kind_of_file(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (50, 61), np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    pairs = DegradedPairs(tmp_path, degradation=Bicubic(scale=4))
    table = evaluate(BICUBIC, pairs, Protocol(degradation="bicubic"))
    assert [row.picture for row in table.rows] == ["grey"]
    assert 5 < table.mean("bicubic")["psnr"] < 20

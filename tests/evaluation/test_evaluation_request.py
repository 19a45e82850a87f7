from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.config import check
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import DegradedPairs, GivenPairs
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.request import answer, find_model, find_pairs
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "hr"
    folder.mkdir()
    for seed, name in enumerate(("bird", "cat")):
        pixels = np.random.default_rng(seed).integers(0, 256, (36, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def weights(path: Path, scale: int = 4) -> Path:
    arguments = {"blocks": 1, "width": 8, "image_skip": "bicubic", "norm": "none"}
    net = SRResNet(scale=scale, **arguments)
    facts: dict[str, str] = {}
    save_generator(
        path, net.state_dict(), name="srresnet", arguments=arguments, scale=scale, facts=facts
    )
    return path


def asked(**options: object) -> EvaluateConfig:
    return check(EvaluateConfig, options)


def test_several_models_come_into_one_table(tmp_path, pictures):
    path = weights(tmp_path / "run/generator.safetensors")
    table = answer(asked(model=["bicubic", str(path), str(pictures)], data={"hr": str(pictures)}))
    assert table.methods == ["bicubic", "run/generator.safetensors", "hr"]
    assert len(table.rows) == 6
    assert table.protocol.crop == 4
    assert table.protocol.degradation.startswith("blur_bicubic(")


def test_pairs_follow_the_config(pictures, tmp_path):
    pairs, protocol = find_pairs(
        asked(
            data={"hr": str(pictures)},
            degradation={"name": "bicubic"},
            protocol={"space": "rgb", "crop": 2},
            scale=3,
        )
    )
    assert isinstance(pairs, DegradedPairs)
    assert protocol.degradation.startswith("bicubic(scale=3")
    assert (protocol.space, protocol.crop) == ("rgb", 2)
    small = tmp_path / "X3"
    small.mkdir()
    for name in ("bird", "cat"):
        Image.new("RGB", (16, 12)).save(small / f"{name}.png")
    pairs, protocol = find_pairs(asked(data={"hr": str(pictures), "lr": str(small)}, scale=3))
    assert isinstance(pairs, GivenPairs)
    assert protocol.stamp() == "Y channel, 3 pixels cropped at each border, LR by given files (X3)"


def test_the_default_pictures_are_the_held_out_ones():
    pairs, _ = find_pairs(asked())
    assert len(pairs) >= 5


def test_a_missing_model_says_how_to_get_one():
    with pytest.raises(UserError, match=r"model: is not set; give model=FILE .*srgan train"):
        answer(asked())


def test_models_that_do_not_fit_are_told(tmp_path):
    path = weights(tmp_path / "generator.safetensors", scale=2)
    with pytest.raises(UserError, match="enlarges by 2 and scale is 4; say scale=2"):
        find_model(str(path), asked())
    with pytest.raises(UserError, match="absent"):
        find_model("absent.safetensors", asked())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modle": "bicubic"}, "modle: no such option; did you mean model"),
        ({"data": {"hrr": "x"}}, "data.hrr: no such option; did you mean hr"),
        ({"protocol": {"space": "lab"}}, "protocol.space: "),
        ({"protocol": {"crop": -1}}, "protocol.crop: "),
        ({"scale": 0}, "scale: "),
        ({"precision": "8-bit"}, "precision"),
    ],
)
def test_wrong_options_are_told_in_one_line(options, message):
    with pytest.raises(UserError, match=message) as caught:
        asked(**options)
    assert "\n" not in str(caught.value)


def test_an_unknown_degradation_is_told():
    with pytest.raises(UserError, match="did you mean bicubic"):
        find_pairs(asked(degradation={"name": "bicubik"}))
    with pytest.raises(UserError, match=r"degradation.name: is required"):
        find_pairs(asked(degradation={}))

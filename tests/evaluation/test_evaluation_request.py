from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.config import check
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import DegradedPairs, GivenPairs
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.request import answer, find_model
from srgan_lightning.evaluation.terms import find_pairs
from srgan_lightning.imaging.read import read_rgb
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


def test_methods_get_names_and_runs(tmp_path, pictures):
    runs = [weights(tmp_path / f"seed{seed}/checkpoints/generator.safetensors") for seed in (0, 1)]
    model = {"start": "bicubic", "ours": [str(path) for path in runs]}
    table = answer(asked(model=model, data={"hr": str(pictures)}))
    assert table.methods == ["start", "ours"]
    assert table.runs("ours") == [str(path) for path in runs]
    assert len(table.rows) == 6
    assert table.mean("ours")["parameters"] > 1000
    assert table.mean("ours")["multiply_adds"] > table.mean("ours")["parameters"]
    assert "parameters" not in table.mean("start")


def test_a_run_s_file_is_called_after_the_run(tmp_path):
    path = weights(tmp_path / "seed1/checkpoints/generator.safetensors")
    assert find_model(str(path), asked()).name == "seed1/generator.safetensors"


def test_two_methods_of_one_name_are_told():
    with pytest.raises(UserError, match="model: bicubic comes 2 times; give each method a name"):
        answer(asked(model=["bicubic", "bicubic"]))
    with pytest.raises(UserError, match="model: lanczos comes 2 times"):
        answer(asked(model={"ours": ["lanczos", "lanczos"]}))


def test_the_method_to_compare_with_must_be_measured():
    with pytest.raises(UserError, match="no method is called 'bicubik'; did you mean bicubic"):
        answer(asked(model=["bicubic", "lanczos"], compare_to="bicubik"))


def test_what_is_left_out_is_said(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    table = answer(asked(model="bicubic", data={"hr": str(pictures)}))
    assert [note.partition(" ")[0] for note in table.notes] == ["LPIPS", "DISTS", "MS-SSIM"]
    assert table.notes[-1].endswith("2 of 2 pictures are smaller and count without")
    assert "lr_psnr" in table.mean("bicubic")
    random = {"name": "blur_bicubic", "sigma": [0.8, 2.4]}
    table = answer(asked(model="bicubic", data={"hr": str(pictures)}, degradation=random))
    assert "LR-PSNR is left out: the degradation draws at random" in table.notes
    assert "lr_psnr" not in table.mean("bicubic")


def test_pictures_are_kept_under_their_methods(pictures, tmp_path):
    path = weights(tmp_path / "run/generator.safetensors")
    answer(
        asked(model=["bicubic", str(path)], data={"hr": str(pictures)}), pictures=tmp_path / "out"
    )
    files = sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("out/**/*.png")
    )
    folders = ("HR", "LR", "bicubic", "run/generator.safetensors")
    assert files == [f"{folder}/{name}.png" for folder in folders for name in ("bird", "cat")]
    sizes = [read_rgb(tmp_path / "out" / folder / "cat.png").shape[1::-1] for folder in folders]
    assert sizes == [(48, 36), (12, 9), (48, 36), (48, 36)]
    assert np.array_equal(read_rgb(tmp_path / "out/HR/cat.png"), read_rgb(pictures / "cat.png"))
    with pytest.raises(UserError, match="model: HR is where the originals go"):
        answer(
            asked(model={"HR": "bicubic"}, data={"hr": str(pictures)}), pictures=tmp_path / "two"
        )

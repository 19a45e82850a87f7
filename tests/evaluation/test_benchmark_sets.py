import shutil

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.config import check
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.sets import find_set, verify_set
from srgan_lightning.evaluation.terms import find_pairs


def asked(**data: object) -> EvaluateConfig:
    return check(EvaluateConfig, {"data": data, "degradation": {"name": "bicubic"}})


@pytest.mark.parametrize(
    ("name", "folder", "figures"),
    [("set5", "Set5", "28.4305 dB, 0.8113"), ("set14", "Set14", "26.0899 dB, 0.7049")],
)
def test_a_set_is_proved_by_bicubic_s_figures(shared, name, folder, figures):
    _, protocol = find_pairs(asked(set=name, hr=str(shared / "data/eval" / folder)))
    assert protocol.stamp().startswith(f"{folder} (verified: bicubic has {figures}), Y channel")


@pytest.mark.parametrize(
    ("name", "folder", "figures"),
    [("set5", "Set5", "26.6947 dB, 0.7734"), ("set14", "Set14", "24.4636 dB, 0.6639")],
)
def test_it_is_proved_in_rgb_too(shared, name, folder, figures):
    words = verify_set(name, shared / "data/eval" / folder, space="rgb")
    assert words == f"{folder} (verified: bicubic has {figures})"


def test_a_name_that_is_not_the_set_s_is_refused(shared, tmp_path):
    fake = tmp_path / "Set5"
    shutil.copytree(shared / "data/eval/Set5", fake)
    picture = Image.open(fake / "bird.png")
    picture.crop((0, 0, 284, 288)).save(fake / "bird.png")
    message = (
        r"not Set5: bicubic has 28\.\d{4} dB and 0\.8\d{3} on it, and on Set5 28.4305 and 0.8113"
    )
    with pytest.raises(UserError, match=message) as caught:
        find_pairs(asked(set="set5", hr=str(fake)))
    assert "\n" not in str(caught.value)
    _, protocol = find_pairs(asked(hr=str(fake)))  # without the name it is a folder like any other
    assert protocol.pictures == ""


def test_the_number_of_pictures_is_counted(tmp_path):
    for name in ("bsd100", "set5"):
        with pytest.raises(UserError, match="holds no pictures"):
            verify_set(name, tmp_path, space="y")
    for number in range(100):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / f"{number:03}.png")
    with pytest.raises(UserError, match="is not Set5: it holds 100 pictures and not 5"):
        verify_set("set5", tmp_path, space="y")
    words = verify_set("bsd100", tmp_path, space="y")
    assert words == "BSD100 (unverified but for its 100 pictures)"


def test_a_set_lies_where_prepare_puts_it(tmp_path):
    folder = tmp_path / "benchmark/B100/HR"
    with pytest.raises(UserError, match=rf"{folder} is no folder; `srgan prepare bsd100 --root"):
        find_set("bsd100", root=tmp_path, hr=None)
    folder.mkdir(parents=True)
    assert find_set("bsd100", root=tmp_path, hr=None) == folder
    assert find_set("bsd100", root=tmp_path / "elsewhere", hr=tmp_path) == tmp_path


def test_an_unknown_set_is_told():
    with pytest.raises(UserError, match=r"data.set: .*'set5', 'set14', 'bsd100' or 'urban100'"):
        asked(set="set6")

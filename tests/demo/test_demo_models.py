from pathlib import Path

import pytest

from srgan_lightning.demo.models import Models
from srgan_lightning.errors import UserError
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator

OPTIONS = {"device": "cpu", "precision": "32-true"}


@pytest.fixture
def generator(tmp_path):
    def write(name):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        arguments = {"blocks": 1, "width": 8}
        state = SRResNet(**arguments).state_dict()
        save_generator(path, state, name="srresnet", arguments=arguments, scale=4, facts={})
        return str(path)

    return write


def test_without_any_the_methods_are_offered():
    assert Models([], **OPTIONS).names == ["bicubic", "lanczos"]


def test_given_ones_come_first_and_none_twice(generator):
    trained = generator("mine.safetensors")
    models = Models([trained, "lanczos", trained], **OPTIONS)
    assert models.names == ["mine.safetensors", "lanczos", "bicubic"]
    assert models["mine.safetensors"].model.startswith("mine.safetensors sha256:")


def test_files_of_one_name_keep_their_folders(generator):
    a, b = generator("a/best.safetensors"), generator("b/best.safetensors")
    assert Models([a, b], **OPTIONS).names == [a, b, "bicubic", "lanczos"]


def test_a_model_is_read_once(generator):
    trained = generator("mine.safetensors")
    models = Models([trained], **OPTIONS)
    Path(trained).write_bytes(b"")  # what is kept needs the file no more
    assert models["mine.safetensors"] is models["mine.safetensors"]
    assert models["bicubic"] is models["bicubic"]


@pytest.mark.parametrize("model", ["nowhere.safetensors", "srresnet"])
def test_a_broken_one_is_told_at_once(model):
    with pytest.raises(UserError, match=rf"^{model}: ") as error:
        Models(["nearest", model], **OPTIONS)
    assert "\n" not in str(error.value)

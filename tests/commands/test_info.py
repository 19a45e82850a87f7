from importlib.metadata import version
from pathlib import Path

import pytest

from srgan_lightning.commands import info as command
from srgan_lightning.networks.features import vgg_cache_path
from srgan_lightning.precision import resolve_precision


def test_it_says_what_it_promises(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    command.info()
    printed = capsys.readouterr().out
    for words in (
        version("srgan-lightning"),
        version("torch"),
        "cpu",
        "vgg19 weights",
        "extra dev",
    ):
        assert words in printed


def test_every_device_has_its_precision():
    import torch

    rows = dict(command._devices())
    resolved = resolve_precision("auto", torch.device("cpu"))
    assert resolved.reason in rows["  precision=auto"] or torch.cuda.is_available()
    assert "threads" in rows["cpu"]


def test_vgg_weights_are_looked_for_where_torch_keeps_them(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = vgg_cache_path("vgg19")
    assert path.is_relative_to(tmp_path)
    assert dict(command._weights())["vgg19 weights"].startswith("not cached")
    path.parent.mkdir(parents=True)
    path.touch()
    assert dict(command._weights())["vgg19 weights"] == f"cached {path}"


@pytest.mark.parametrize(
    ("there", "said"), [(True, "installed"), (False, "lacks hypothesis, pytest")]
)
def test_extras_are_there_or_lack_packages(monkeypatch, there, said):
    requirements = [
        "torch>=2",
        'hypothesis>=6 ; extra == "dev"',
        'pytest>=8; extra == "dev"',
        'onnx; extra == "onnx"',
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: requirements)
    monkeypatch.setattr(command, "_installed", lambda package: there)
    assert dict(command._extras())["extra dev"] == said

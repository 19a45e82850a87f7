"""The presets of conf/generator and conf/discriminator build what their names say."""

from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from srgan_lightning.classical import FittedGenerator
from srgan_lightning.errors import UserError
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.networks.discriminators import SRGANDiscriminator
from srgan_lightning.networks.generators import SRResNet

CONF = Path(__file__).parents[2] / "conf"


def node(path: str) -> dict[str, Any]:
    group = OmegaConf.load(CONF / path)
    config = OmegaConf.create({"data": {"crop_size": 32}, "group": group})
    return OmegaConf.to_container(config.group, resolve=True)


@pytest.mark.parametrize("path", sorted((CONF / "generator").glob("*.yaml")), ids=lambda p: p.stem)
def test_generator_presets_enlarge(path) -> None:
    arguments = node(f"generator/{path.name}")
    generator = GENERATORS.build(arguments.pop("name"), arguments, scale=4).eval()
    if isinstance(generator, FittedGenerator):
        with pytest.raises(UserError, match="not fitted"):
            generator(torch.rand(1, 3, 8, 8))
        return
    with torch.no_grad():
        assert generator(torch.rand(1, 3, 8, 8)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    "path", sorted((CONF / "discriminator").glob("*.yaml")), ids=lambda p: p.stem
)
def test_discriminator_presets_judge_the_datas_crops(path) -> None:
    arguments = node(f"discriminator/{path.name}")
    discriminator = DISCRIMINATORS.build(arguments.pop("name"), arguments)
    assert discriminator(torch.rand(2, 3, 32, 32)).shape[0] == 2


def test_the_papers_presets_are_the_defaults() -> None:
    arguments = node("generator/srresnet.yaml")
    generator = GENERATORS.build(arguments.pop("name"), arguments, scale=4)
    assert repr(generator) == repr(SRResNet())
    arguments = node("discriminator/srgan.yaml")
    discriminator = DISCRIMINATORS.build(arguments.pop("name"), arguments)
    assert repr(discriminator) == repr(SRGANDiscriminator(crop_size=32))

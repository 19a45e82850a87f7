"""The arithmetic in docs/devices.md."""

import re
from pathlib import Path

import pytest
import torch

from srgan_lightning.config import check, compose
from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.training.config import TrainConfig

TEXT = (Path(__file__).parents[2] / "docs/devices.md").read_text()
FLOPS = {"srgan": 0.0432298e12 * 16, "esrgan": 0.1765391e12 * 16}  # torch's counter, a crop
RATE = 40e12


def rows(columns: int) -> list[list[str]]:
    lines = [line.strip("| \n").split(" | ") for line in TEXT.splitlines() if line[:1] == "|"]
    return [line for line in lines if len(line) == columns and not line[0].startswith("-")][1:]


@pytest.fixture(scope="module")
def sizes() -> dict[str, tuple[int, int]]:
    found = {}
    for recipe in FLOPS:
        config = check(TrainConfig, compose([f"experiment={recipe}"]))
        with torch.device("meta"):
            g = GENERATORS.build(
                config.generator.name, config.generator.arguments, scale=config.scale
            )
            d = DISCRIMINATORS.build(
                config.discriminator.name,
                config.discriminator.arguments,
                crop_size=config.data.crop_size,
            )
        found[recipe] = tuple(sum(p.numel() for p in n.parameters()) for n in (g, d))
    return found


def test_parameters_and_bytes(sizes):
    told = rows(5)
    assert len(told) == 2
    for recipe, g, d, megabytes, flops in told:
        counts = sizes[recipe.split(",")[0]]
        assert (int(g.replace(",", "")), int(d.replace(",", ""))) == counts
        assert megabytes == f"{4 * sum(counts) / 1e6:.1f} MB"
        assert flops == f"{FLOPS[recipe.split(',')[0]] / 1e12:.2f} · 10¹²"


def test_expected_efficiencies(sizes):
    told = rows(7)
    assert len(told) == 8
    for devices, _, bandwidth, recipe, sent, reduce, efficiency in told:
        n, c = int(devices), FLOPS[recipe] / RATE
        s = 4 * sum(sizes[recipe]) * 2 * (n - 1) / n
        r = s / (float(bandwidth) * 1e9)
        assert sent == f"{s / 1e6:.1f} MB"
        assert reduce == f"{1e3 * r:.1f} ms"
        assert efficiency == f"{c / (c + r):.2f} … {c / max(c, r):.2f}"


def test_what_a_device_holds(sizes):
    for recipe in FLOPS:
        held = 16 * sum(sizes[recipe]) + 4 * sizes[recipe][0]
        assert re.search(rf"{held / 1e9:.2f} GB for {recipe}", TEXT)

"""Files of format version 1, written once and kept: they are read for ever.

`fixtures/checkpoints/v1` is the folder of a run that was stopped at step 3 of 4 by
`trainer.max_steps=3`, in its second stage.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from srgan_lightning.networks import load_generator
from srgan_lightning.training.resume import read_checkpoint

V1 = Path(__file__).parents[1] / "fixtures/checkpoints/v1"
SR = [-0.18503, -0.06147, -0.02102]  # at row 7, column 9, of the picture below


@pytest.mark.parametrize("name", ["generator.safetensors", "last.ckpt"])
def test_the_generator_of_version_1(name):
    generator, facts = load_generator(V1 / "checkpoints" / name)
    assert (generator.scale, generator.training) == (4, False)
    assert facts["degradation"] == "blur_bicubic(scale=4, sigma=1.6, quantize=True)"
    with torch.no_grad():
        sr = generator(torch.linspace(0, 1, 3 * 5 * 6).reshape(1, 3, 5, 6))
    assert sr.shape == (1, 3, 20, 24)
    torch.testing.assert_close(sr[0, :, 7, 9], torch.tensor(SR), atol=1e-5, rtol=0)


def test_the_metadata_of_version_1():
    with safe_open(V1 / "checkpoints/generator.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "srgan_lightning.generator"
    assert metadata["format_version"] == "1"
    assert json.loads(metadata["generator"])["name"] == "srresnet"


def test_the_checkpoint_of_version_1():
    saved = read_checkpoint(V1 / "checkpoints/last.ckpt")
    assert (saved["format_version"], saved["step"]) == (1, 3)
    assert saved["config"]["generator"]["width"] == 4


def test_a_run_of_version_1_goes_on(command, tmp_path):
    shutil.copytree(V1, tmp_path / "run")
    then = ("generator=srresnet_light", "degradation=blur_bicubic", "init_from=none")
    outcome = command("train", "--resume", "run", *then, "trainer.max_steps=null")
    assert outcome.status == 0, outcome.err
    assert "resuming at generator step 3" in outcome.out
    assert read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["step"] == 4

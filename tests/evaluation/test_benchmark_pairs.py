from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation import DegradedPairs, GivenPairs

BLUR = DEGRADATIONS.build("blur_bicubic", {}, scale=4)


def put(path: Path, height: int, width: int, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def test_lr_is_made_of_hr_cropped_to_the_scale(tmp_path):
    put(tmp_path / "b.png", 31, 42)
    put(tmp_path / "deep" / "a.png", 24, 24)
    pairs = DegradedPairs(tmp_path, degradation=BLUR)
    assert len(pairs) == 2
    shapes = {pair.name: (pair.lr.shape[-2:], pair.hr.shape[-2:]) for pair in pairs}
    assert shapes == {"b": ((7, 10), (28, 40)), "deep/a": ((6, 6), (24, 24))}
    for pair in pairs:
        assert torch.equal(pair.lr, BLUR(pair.hr))


def test_draws_belong_to_the_picture_and_the_seed(tmp_path):
    put(tmp_path / "b.png", 32, 32)
    put(tmp_path / "c.png", 32, 32)
    blur = DEGRADATIONS.build("blur_bicubic", {"sigma": [0.5, 3.0]}, scale=4)

    def lr(seed: int = 0) -> dict[str, torch.Tensor]:
        return {p.name: p.lr for p in DegradedPairs(tmp_path, degradation=blur, seed=seed)}

    first = lr()
    assert not torch.equal(first["b"], first["c"])
    assert not torch.equal(first["b"], lr(seed=1)["b"])
    put(tmp_path / "a.png", 32, 32, seed=1)
    assert all(torch.equal(lr()[name], image) for name, image in first.items())


@pytest.mark.parametrize("partner", ["bird.png", "birdx4.png", "bird_x4.jpg"])
def test_given_partners_are_found_by_name(tmp_path, partner):
    put(tmp_path / "hr/bird.png", 31, 42)
    put(tmp_path / "lr" / partner, 7, 10)
    (pair,) = GivenPairs(tmp_path / "hr", tmp_path / "lr", scale=4)
    assert pair.name == "bird"
    assert pair.lr.shape == (1, 3, 7, 10)
    assert pair.hr.shape == (1, 3, 28, 40)


def test_a_wrong_scale_names_the_file(tmp_path):
    put(tmp_path / "hr/bird.png", 32, 48)
    put(tmp_path / "lr/bird.png", 16, 24)
    with pytest.raises(UserError, match=r"lr/bird.png: is 24x16; at scale 4 .* must be 12x8"):
        GivenPairs(tmp_path / "hr", tmp_path / "lr", scale=4)


def test_a_missing_partner_names_the_file(tmp_path):
    put(tmp_path / "hr/bird.png", 32, 48)
    put(tmp_path / "lr/cat.png", 8, 12)
    with pytest.raises(UserError, match=r"hr/bird.png: has no partner named bird or birdx4"):
        GivenPairs(tmp_path / "hr", tmp_path / "lr", scale=4)


def test_unfit_folders_are_told(tmp_path):
    with pytest.raises(UserError, match="absent: is no folder"):
        DegradedPairs(tmp_path / "absent", degradation=BLUR)
    with pytest.raises(UserError, match="holds no pictures"):
        DegradedPairs(tmp_path, degradation=BLUR)
    put(tmp_path / "a.png", 8, 8)
    put(tmp_path / "a.jpg", 8, 8)
    with pytest.raises(UserError, match=r"a.png: differs from a.jpg in its suffix only"):
        DegradedPairs(tmp_path, degradation=BLUR)


def test_a_picture_below_the_scale_is_named(tmp_path):
    put(tmp_path / "dot.png", 3, 9)
    with pytest.raises(UserError, match=r"dot.png: is smaller than 4 pixels"):
        list(DegradedPairs(tmp_path, degradation=BLUR))


def test_an_unreadable_picture_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match=r"broken.png"):
        list(DegradedPairs(tmp_path, degradation=BLUR))

"""Motion: there and back, saved and given."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.degradations import Motion
from srgan_lightning.degradations.wander import random_motion
from srgan_lightning.errors import UserError


def wander(seed=0, seeing=0.4):
    generator = torch.Generator().manual_seed(seed)
    return random_motion(
        4,
        (30, 40),
        shift=3.0,
        rotation=4.0,
        affine=0.02,
        seeing=seeing,
        seeing_scale=12.0,
        generator=generator,
        device=torch.device("cpu"),
    )


@given(seed=st.integers(0, 999), n=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_back_is_the_inverse_of_points(seed, n):
    motion = wander(seed)
    points = torch.rand(5, 7, 2, generator=torch.Generator().manual_seed(seed)) * 30
    returned = motion.back(n, motion.points(n, points))
    torch.testing.assert_close(returned, points.double(), atol=2e-5, rtol=0)


def test_a_homography_divides():
    matrix = torch.tensor([[2.0, 0, 1], [0, 2, 0], [0.5, 0, 1]]).double()
    there = Motion(matrices=matrix[None]).points(0, torch.tensor([2.0, 3.0]))
    assert there.tolist() == [2.5, 3.0]


@pytest.mark.parametrize("seeing", [0.0, 0.4])
def test_saved_and_loaded(tmp_path, seeing):
    motion = wander(seeing=seeing)
    motion.save(tmp_path / "motion.json")
    loaded = Motion.load(tmp_path / "motion.json")
    assert torch.equal(loaded.matrices, motion.matrices)
    if seeing:
        torch.testing.assert_close(loaded.flow, motion.flow.float())
    else:
        assert loaded.flow is None
        assert [file.name for file in tmp_path.iterdir()] == ["motion.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"matrices": [[1, 2]]}', json.dumps({"matrices": [[[0.0] * 3] * 3]})],
)
def test_a_file_without_motion(tmp_path, text):
    file = tmp_path / "motion.json"
    file.write_text(text)
    with pytest.raises(UserError, match="holds no motion"):
        Motion.load(file)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        Motion.load(tmp_path / "motion.json")


def test_another_reference():
    motion = wander(seeing=0)
    other = motion.relative_to(2)
    points = torch.rand(9, 2) * 30
    expected = motion.points(1, motion.back(2, points))
    torch.testing.assert_close(other.points(1, points), expected)

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srgan_lightning.degradations.resize import imresize
from srgan_lightning.errors import UserError
from srgan_lightning.inference.resample import Mask, resized
from srgan_lightning.inference.size import Wanted

sides = st.integers(1, 60)


def cut(picture: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    ends = np.cumsum(lengths)[:-1]
    return np.split(picture, [end for end in ends if end < len(picture)])


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(sides, sides),
    target=st.tuples(sides, sides),
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8),
)
def test_strips_give_what_the_whole_picture_gives(source, target, lengths):
    picture = np.random.default_rng(0).random((*source, 2), np.float32)
    strips = [*resized(cut(picture, lengths), source=source, target=target)]
    found = np.concatenate(strips)
    assert found.shape == (*target, 2)
    for channel in range(2):
        whole = Image.fromarray(np.ascontiguousarray(picture[..., channel])).resize(
            target[::-1], Image.Resampling.BICUBIC
        )
        assert np.allclose(found[..., channel], np.asarray(whole), atol=2e-5)


def test_away_from_the_borders_it_is_matlab_s():
    picture = np.random.default_rng(0).random((48, 64, 1), np.float32)
    (half,) = resized([picture], source=(48, 64), target=(24, 32))
    expected = imresize(torch.from_numpy(picture[..., 0]), scale=0.5).numpy()
    assert np.allclose(half[4:-4, 4:-4, 0], expected[4:-4, 4:-4], atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 255.0, 65535.0])
def test_masks_keep_what_is_flat(level):
    mask = Mask(np.full((7, 5), level), size=(28, 20))
    assert (mask.rows(0, 28) == level).all()


def test_masks_come_in_any_rows():
    alpha = np.random.default_rng(0).integers(0, 256, (9, 11), np.uint8)
    mask = Mask(alpha, size=(36, 44))
    rows = np.concatenate([mask.rows(top, min(top + 7, 36)) for top in range(0, 36, 7)])
    assert np.allclose(rows, mask.rows(0, 36), atol=1e-3)


@given(height=st.integers(1, 500), width=st.integers(1, 500), factor=st.floats(0.05, 4))
def test_sizes_keep_the_shape(height, width, factor):
    found = Wanted(scale=factor).of(height, width, most=4)
    assert found == (max(round(height * factor), 1), max(round(width * factor), 1))
    box = Wanted(fit=(width, 2 * height)).of(height, width, most=4)
    assert box == (height, width)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 2.0, "width": 9}, "--scale and --width: say the same thing twice"),
        ({"width": 0}, "--width: must be above 0"),
        ({"fit": (0, 9)}, "--fit: must be above 0"),
        ({"scale": -1.0}, "--scale: must be above 0"),
    ],
)
def test_mistakes_are_told(options, message):
    with pytest.raises(UserError, match=message):
        Wanted(**options)


def test_more_than_the_model_makes_is_refused():
    with pytest.raises(UserError, match="50x50 is more than 4 times 10x10"):
        Wanted(width=50).of(10, 10, most=4)

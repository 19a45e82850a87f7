"""Flips and turns: the symmetries of the square, evenly drawn."""

from collections import Counter

import pytest
import torch

from srgan_lightning.degradations import random_flip_turn


def symmetries(image):
    turns = [torch.rot90(image, k, (-2, -1)) for k in range(4)]
    return turns + [turn.flip(-1) for turn in turns]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_all_eight_symmetries_come_equally_often():
    image = torch.rand(3, 5, 5)
    batch = random_flip_turn(image.expand(1600, -1, -1, -1), seeded(0))
    known = symmetries(image)
    counts = Counter(
        next(i for i, s in enumerate(known) if torch.equal(turned, s)) for turned in batch
    )
    assert set(counts) == set(range(8))
    assert all(150 < count < 250 for count in counts.values())  # 200 ± 3.8 σ


@pytest.mark.parametrize("size", [(4, 6), (1, 7)])
def test_other_pictures_are_only_flipped(size):
    image = torch.arange(size[0] * size[1]).view(1, *size)
    flips = [image, image.flip(-1), image.flip(-2), image.flip(-1, -2)]
    batch = random_flip_turn(image.expand(200, -1, -1, -1), seeded(0))
    assert all(any(torch.equal(turned, flip) for flip in flips) for turned in batch)
    assert all(any(torch.equal(turned, flip) for turned in batch) for flip in flips)


def test_lr_and_hr_turn_alike_under_equal_seeds():
    lr = torch.rand(16, 3, 4, 4)
    hr = lr.repeat_interleave(4, -1).repeat_interleave(4, -2)
    turned = random_flip_turn(lr, seeded(3)), random_flip_turn(hr, seeded(3))
    assert torch.equal(turned[0], turned[1][..., ::4, ::4])
    assert not torch.equal(turned[0], lr)


def test_bytes_stay_bytes():
    images = torch.randint(256, (4, 3, 6, 6), dtype=torch.uint8)
    assert random_flip_turn(images, seeded(0)).dtype == torch.uint8

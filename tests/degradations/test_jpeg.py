"""JPEG against libjpeg itself, as Pillow carries it."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.degradations.jpeg import jpeg


def scene(height, width):
    """Return smooth waves, a sharp disc and a little noise, uint8 `[H, W, 3]`."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 70 * np.sin(x / a + y / b) for a, b in ((9, 23), (15, -11), (-30, 8))]
    image = np.stack(waves, axis=-1)
    image[(x - width / 2) ** 2 + (y - height / 2) ** 2 < height * width / 16] = (220, 60, 90)
    image += np.random.default_rng(0).normal(0, 4, image.shape)
    return image.round().clip(0, 255).astype(np.uint8)


def libjpeg(array, quality):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), dtype=np.float64)


def ours(array, *qualities):
    image = torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255
    batch = image.expand(len(qualities), -1, -1, -1)
    return jpeg(batch, torch.tensor(qualities, dtype=torch.float32)).mul(255).double()


def decibels(first, second):
    return 10 * np.log10(255**2 / np.mean((first - second) ** 2))


@pytest.mark.parametrize("size", [(64, 96), (61, 83), (17, 33)])
@pytest.mark.parametrize("quality", [5, 30, 49, 50, 75, 95, 100])
def test_equals_libjpeg_far_beyond_its_own_loss(size, quality):
    array = scene(*size)
    expected = libjpeg(array, quality)
    result = ours(array, quality)[0].permute(1, 2, 0).numpy()
    loss = decibels(expected, array)
    assert decibels(result, expected) > max(42, loss + 5)
    assert decibels(result, array) == pytest.approx(loss, abs=0.3)


def test_each_image_has_its_own_quality():
    array = scene(32, 48)
    together = ours(array, 10, 50, 90)
    for image, quality in zip(together, (10, 50, 90), strict=True):
        assert torch.equal(image, ours(array, quality)[0])
    losses = [decibels(image.permute(1, 2, 0).numpy(), array) for image in together]
    assert losses == sorted(losses)


def test_gives_8_bits_in_range():
    levels = ours(np.random.default_rng(1).integers(0, 256, (24, 24, 3), np.uint8), 20)
    torch.testing.assert_close(levels, levels.round().clamp(0, 255), atol=1e-4, rtol=0)


def test_flat_pictures_stay_flat():
    grey = np.full((16, 16, 3), 128, np.uint8)
    assert torch.equal(ours(grey, 50).round(), torch.full((1, 3, 16, 16), 128.0).double())

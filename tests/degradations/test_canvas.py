"""Pictures of several sizes in one batch are treated as each would be alone."""

import pytest
import torch
from torch.nn import functional as F

from srgan_lightning.degradations.canvas import Canvas
from srgan_lightning.degradations.interpolation import AREA, BICUBIC, BILINEAR
from srgan_lightning.degradations.jpeg import jpeg

SIZES = [(37, 51), (5, 9), (64, 70), (1, 2), (50, 3)]
MODES = {AREA: "area", BILINEAR: "bilinear", BICUBIC: "bicubic"}


def batch():
    """Return a canvas with garbage beyond each picture, and the pictures alone."""
    pixels = torch.rand(len(SIZES), 3, 64, 70, generator=torch.Generator().manual_seed(0))
    height, width = torch.tensor(SIZES).unbind(1)
    pictures = [pixels[i, None, :, :h, :w].clone() for i, (h, w) in enumerate(SIZES)]
    for i, (h, w) in enumerate(SIZES):
        pixels[i, :, h:], pixels[i, :, :, w:] = 1e3, -1e3
    return Canvas(pixels, height, width), pictures


def alone(canvas):
    sizes = zip(canvas.height.tolist(), canvas.width.tolist(), strict=True)
    return [canvas.pixels[i, None, :, :h, :w] for i, (h, w) in enumerate(sizes)]


@pytest.mark.parametrize("method", MODES)
def test_resizing_is_torchs_interpolate(method):
    canvas, pictures = batch()
    targets = torch.tensor([(20, 77), (9, 5), (64, 70), (3, 1), (80, 80)])
    methods = torch.full((len(SIZES),), method)
    resized = canvas.resize(*targets.unbind(1), methods, shape=(80, 81))
    assert resized.pixels.shape == (len(SIZES), 3, 80, 81)
    for found, picture, size in zip(alone(resized), pictures, targets.tolist(), strict=True):
        corners = None if method == AREA else False
        expected = F.interpolate(picture, size, mode=MODES[method], align_corners=corners)
        torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(resized.extend().pixels, resized.pixels)


def test_each_picture_has_its_own_method():
    pixels = torch.rand(1, 3, 16, 16).expand(3, -1, -1, -1)
    size = torch.full((3,), 9)
    resized = Canvas.whole(pixels).resize(size, size, torch.arange(3), shape=(9, 9)).pixels
    for image, mode in zip(resized, MODES.values(), strict=True):
        torch.testing.assert_close(image[None], F.interpolate(pixels[:1], 9, mode=mode))


def test_blurring_reflects_each_pictures_own_borders():
    canvas, pictures = batch()
    kernels = torch.rand(len(SIZES), 5, 5)
    for index, found in enumerate(alone(canvas.blur(kernels))):
        picture = pictures[index]
        if min(picture.shape[-2:]) > 2:  # torch's own padding wants more than the radius
            padded = F.pad(picture, (2, 2, 2, 2), mode="reflect")
            weight = kernels[index].expand(3, 1, 5, 5)
            torch.testing.assert_close(found, F.conv2d(padded, weight, groups=3))
        assert found.abs().max() <= kernels[index].sum() + 1e-4, "garbage got in"


def test_a_kernel_of_one_pixel_changes_nothing():
    canvas, pictures = batch()
    kernels = torch.zeros(len(SIZES), 21, 21)
    kernels[:, 10, 10] = 1
    for found, picture in zip(alone(canvas.blur(kernels)), pictures, strict=True):
        assert torch.equal(found, picture)


def test_an_extended_picture_is_compressed_as_it_would_be_alone():
    canvas, pictures = batch()
    quality = torch.tensor([30.0, 50.0, 70.0, 80.0, 90.0])
    extended = canvas.extend()
    compressed = alone(extended.paint(jpeg(extended.pixels, quality)))
    for found, picture, q in zip(compressed, pictures, quality, strict=True):
        torch.testing.assert_close(found, jpeg(picture, q[None]))

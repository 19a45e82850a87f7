import numpy as np
import pytest
import torch

from srgan_lightning.inference.pictures import to_picture, to_tensor


def test_a_picture_survives_the_way_there_and_back():
    picture = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    image = to_tensor(picture)
    assert image.shape == (1, 3, 16, 16)
    assert image.min() == 0
    assert image.max() == 1
    assert (to_picture(image) == picture).all()


def test_channels_and_axes_keep_their_places():
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[1, 2] = (51, 102, 255)
    assert to_tensor(picture)[0, :, 1, 2].tolist() == pytest.approx([0.2, 0.4, 1.0])


def test_images_are_clamped_and_rounded():
    image = torch.tensor([-0.5, 0.499 / 255, 0.501 / 255, 1.5, 254.6 / 255, 0.0]).view(3, 1, 2)
    assert to_picture(image).transpose(2, 0, 1).ravel().tolist() == [0, 0, 1, 255, 255, 0]


def test_views_and_read_only_pictures_are_taken():
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0] = 255
    turned = picture[::-1, ::-1]
    turned.flags.writeable = False
    assert to_tensor(turned)[0, 0, -1].tolist() == [1.0] * 6


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.uint16)]
)
def test_other_arrays_are_refused(picture):
    with pytest.raises(ValueError, match=r"a picture is uint8 \[H, W, 3\]"):
        to_tensor(picture)

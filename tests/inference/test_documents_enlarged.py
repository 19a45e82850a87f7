import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.imaging.document import Document, Metadata
from srgan_lightning.inference.documents import enlarge_document
from srgan_lightning.inference.planes import enlarge_plane, fill
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet

BICUBIC = TorchUpscaler.load("bicubic", device="cpu", precision="32-true", tile=16)
SKIP = TorchUpscaler(
    SRResNet(blocks=1, width=8, image_skip="bicubic", norm="none"),
    device="cpu",
    precision="bf16-mixed",
    tile=16,
)
TOP = {np.uint8: 255, np.uint16: 65535}


@pytest.mark.parametrize("upscaler", [BICUBIC, SKIP], ids=["bicubic", "image skip"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_flat_areas_stay_what_they_are(upscaler, dtype, channels):
    for level in (0, 1, TOP[dtype] // 2, TOP[dtype] - 1, TOP[dtype]):
        colour = np.full((20, 5, channels), level, dtype)
        alpha = np.full((20, 5), level, dtype)
        enlarged = enlarge_document(Document(colour, alpha), upscaler)
        assert enlarged.colour.dtype == dtype
        assert enlarged.colour.shape == (80, 20, channels)
        assert (enlarged.samples == level).all()


def test_grey_is_the_mean_of_equal_channels():
    colour = np.random.default_rng(0).integers(0, 256, (9, 8, 1), np.uint8)
    rgb = BICUBIC.enlarge(np.repeat(colour, 3, axis=2))
    assert (enlarge_document(Document(colour), BICUBIC).colour == rgb[..., :1]).all()


def test_16_bits_are_computed_in_float32():
    ramp = np.linspace(20000, 20400, 24, dtype=np.uint16)
    colour = np.repeat(np.tile(ramp, (6, 1))[..., None], 3, axis=2)
    enlarged = enlarge_document(Document(colour), SKIP).colour
    exact = SKIP(torch.from_numpy(colour / np.float32(65535)).permute(2, 0, 1)[None])
    assert SKIP.precision_for(16) == SKIP.precision_for(32) == "32-true"
    assert SKIP.precision_for(8) == "bf16-mixed"
    assert np.diff(enlarged[0, :, 0].astype(int)).min() >= -1
    assert len(np.unique(enlarged[0, :, 0])) > 60
    assert abs(exact[0].permute(1, 2, 0).numpy() * 65535 - enlarged).max() < 65535 / 128


def test_opacity_is_apart_from_colour():
    draws = np.random.default_rng(1)
    colour = draws.integers(0, 256, (8, 8, 3), np.uint8)
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:] = 255
    enlarged = enlarge_document(Document(colour, alpha), BICUBIC)
    seen = colour.copy()
    seen[:, :4] = 99
    assert (enlarged.colour == enlarge_document(Document(seen, alpha), BICUBIC).colour).all()
    opaque = enlarge_document(Document(colour), BICUBIC).colour
    assert (enlarged.colour[:, 24:] == opaque[:, 24:]).all()
    assert (enlarged.alpha[:, :12] == 0).mean() > 0.6
    assert (enlarged.alpha[:, 20:] > 250).all()
    assert (np.diff(enlarged.alpha[0, 8:24].astype(int)) >= -20).all()


def test_what_the_file_says_goes_along():
    metadata = Metadata(text={"Title": "x"}, dpi=(72, 72))
    enlarged = enlarge_document(Document(np.zeros((2, 2, 1), np.uint8), metadata=metadata), BICUBIC)
    assert enlarged.metadata == metadata


@settings(max_examples=20, deadline=None)
@given(
    gain=st.floats(1e-6, 1e9),
    offset=st.floats(-1e3, 1e3),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
)
def test_values_are_stretched_and_back(gain, offset, height, width):
    plane = np.random.default_rng(0).random((height, width))
    plain = enlarge_plane(plane, BICUBIC)
    other = enlarge_plane(gain * (plane + offset), BICUBIC)
    assert np.allclose(other / gain - offset, plain, atol=1e-5 + 1e-9 * abs(offset))


def test_stars_are_not_clipped():
    plane = np.zeros((40, 40))
    plane[20, 20] = 1e6
    enlarged = enlarge_plane(plane + np.random.default_rng(0).random(plane.shape), BICUBIC)
    assert enlarged.max() > 0.7e6
    assert enlarged.mean() == pytest.approx(1e6 / 1600, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.floats(0, 1))
def test_holes_stay_holes_and_poison_nothing(seed, share):
    draws = np.random.default_rng(seed)
    plane = draws.random((11, 7))
    holes = draws.random(plane.shape) < share
    enlarged = enlarge_plane(np.where(holes, np.nan, plane), BICUBIC)
    assert np.array_equal(np.isnan(enlarged), np.kron(holes, np.ones((4, 4))) > 0)
    assert np.nanmax(enlarged, initial=0) < 2
    assert np.nanmin(enlarged, initial=0) > -1


def test_infinite_pixels_are_holes_too():
    plane = np.ones((6, 6))
    plane[1, 1], plane[4, 4] = np.inf, -np.inf
    enlarged = enlarge_plane(plane, BICUBIC)
    assert (enlarged[4:8, 4:8] == np.inf).all()
    assert (enlarged[16:20, 16:20] == -np.inf).all()
    assert np.allclose(enlarged[np.isfinite(enlarged)], 1)


def test_filling_keeps_what_is_known():
    draws = np.random.default_rng(0)
    plane, known = draws.random((30, 40)), draws.random((30, 40)) > 0.98
    filled = fill(np.where(known, plane, 1e30), known)
    assert (filled[known] == plane[known]).all()
    assert filled.min() >= plane[known].min() - 1e-12
    assert filled.max() <= plane[known].max() + 1e-12


def test_floating_point_pictures_keep_their_values():
    colour = np.random.default_rng(0).normal(1e4, 10, (6, 5, 1)).astype(np.float32)
    enlarged = enlarge_document(Document(colour), BICUBIC).colour
    assert enlarged.dtype == np.float32
    assert enlarged.mean() == pytest.approx(colour.mean(), rel=1e-3)

"""The blur of frames found from stars and from photographs."""

import math

import numpy as np
import pytest
import torch
from astropy.io import fits

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.multiframe.frames import Frames, open_frames
from srgan_lightning.multiframe.psf import find_psf, given_psf, psf_of_spectrum, psf_of_stars
from srgan_lightning.samples import sample_folder

ERF = np.vectorize(math.erf)


def star_field(sigma: float, shifts: np.ndarray, *, saturated: float = np.inf) -> np.ndarray:
    """Stars integrated over pixels, a pair and a saturated one among them, `[N, 80, 90]`."""
    rng = np.random.default_rng(0)
    places = np.array([[x, y] for x in (14, 34, 54, 74) for y in (14, 38, 64)], float)
    places = np.concatenate([places + rng.uniform(-3, 3, places.shape), [[36.0, 50.0]]])
    fluxes = np.concatenate([[60000], rng.uniform(2e3, 2e4, len(places) - 1)])
    frames = np.full((len(shifts), 80, 90), 100.0)

    def shares(length: int, centre: float) -> np.ndarray:
        edges = ERF((np.arange(length + 1) - 0.5 - centre) / (sigma * 2**0.5))
        return np.diff(edges) / 2

    for n, shift in enumerate(shifts):
        for (x, y), flux in zip(places + shift, fluxes, strict=True):
            frames[n] += flux * np.outer(shares(80, y), shares(90, x))
    return np.minimum(frames + rng.normal(0, 2, frames.shape), saturated)


@pytest.mark.parametrize("sigma", [0.6, 1.3])
@pytest.mark.parametrize("saturated", [np.inf, 4000.0])
def test_stars_tell_the_blur_besides_the_pixel(tmp_path, sigma: float, saturated: float):
    shifts = np.concatenate([[[0, 0]], np.random.default_rng(1).uniform(-2, 2, (4, 2))])
    cube = star_field(sigma, shifts, saturated=saturated).astype(np.float32)
    fits.writeto(tmp_path / "stars.fits", cube)
    frames = open_frames([tmp_path / "stars.fits"])
    motion = Motion.of_shifts(torch.from_numpy(shifts))
    found = find_psf(frames, motion, "auto")
    assert found.sigma == pytest.approx(sigma, abs=0.03)
    assert found.told.startswith("measured from ")
    assert found == psf_of_stars(frames, motion)


def photograph(number: int, side: int = 192) -> torch.Tensor:
    pixels = read_rgb(list_images(sample_folder("heldout"))[number])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    cut = pixels[top : top + side, left : left + side] / np.float32(255)
    return torch.from_numpy(cut).permute(2, 0, 1)[None]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5])
def test_the_spectrum_of_photographs_tells_it_too(number: int):
    hr, found = photograph(number), []
    for sigma in (0.5, 0.8, 1.1):
        burst = Burst(scale=4, frames=10, blur_sigma=(sigma, sigma))
        frames, (motion,) = burst.observe(hr, torch.Generator().manual_seed(0))
        psf = find_psf(Frames.of(frames[0]), motion, "auto")
        assert psf.sigma == pytest.approx(sigma, abs=0.3)
        assert psf.told == "estimated from the spectrum"
        found.append(psf.sigma)
    assert found == sorted(found)


def test_what_cannot_be_found_is_said():
    noise = 0.5 + 0.1 * torch.randn(4, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    motion = Motion.of_shifts(torch.zeros(4, 2))
    assert psf_of_spectrum(Frames.of(noise), motion) is None
    for how, words in [
        ("auto", "no photograph's spectrum is in the frames"),
        ("stars", "fewer than 3 single stars are in the frames"),
    ]:
        with pytest.raises(UserError, match=f"--psf {how}: {words}"):
            find_psf(Frames.of(noise), motion, how)
    with pytest.raises(UserError, match="'moffat' is neither a number nor auto, stars, spectrum"):
        given_psf("moffat")
    given = given_psf("0.7")
    assert given is not None
    assert (given.sigma, given.told) == (0.7, "given")

"""The point-spread function of a burst: a Gaussian, measured from stars or from the spectrum."""

import dataclasses
import itertools
import math

import numpy as np
import torch
from torch import Tensor

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.linear import shift_and_add
from srgan_lightning.multiframe.prepare import grey
from srgan_lightning.multiframe.reference import least_moved
from srgan_lightning.multiframe.stars import Stars, centred, find_stars

WAYS = ("auto", "stars", "spectrum")
_LARGEST = 4.0  # pixels of the frames, standard deviation
_STARS = 3  # at least
_STEP = 0.01  # pixels, of the search
_SCALE = 2  # of the picture whose spectrum is looked at: below its Nyquist lies all that is blurred
_BAND = (0.04, 0.6)  # cycles per pixel of the frames: beyond, the pixel itself leaves little
_RINGS = 24
_SLOPE, _BELIEF = 2.4, 2.0  # of a photograph's power spectrum, and the weight of that belief
_ABOVE = 3.0  # times the noise
_FLATTEST = -0.15  # square pixels: with less, a spectrum is no photograph's


@dataclasses.dataclass(frozen=True)
class Psf:
    """The blur of frames besides that of the pixel itself.

    Attributes:
        sigma: standard deviation of the Gaussian in pixels of the frames.
        told: how it was found, in words.
    """

    sigma: float
    told: str


def psf_of_stars(frames: Frames, motion: Motion) -> Psf | None:
    """Fit one Gaussian, integrated over pixels, to isolated unsaturated stars of all frames.

    Each star of each frame has a centre, a brightness and a background of its own; σ is where the
    share of its variance that the Gaussian leaves is least on average.

    Args:
        frames: those to be fused.
        motion: of these frames.

    Returns:
        None where there are fewer than three stars.

    Raises:
        UserError: sep is absent.
    """
    _, reference = least_moved(frames, motion)
    stars = find_stars(grey(reference[None])[0].double().numpy())
    if len(stars.xy) < _STARS:
        return None
    reach = math.ceil(stars.radius)
    sigmas = torch.arange(_STEP, _LARGEST + _STEP / 2, _STEP, dtype=torch.float64)
    left, count = torch.zeros_like(sigmas), 0
    for n, frame in enumerate(frames):
        cuts, off = _cut(grey(frame[None])[0], stars, motion, n, reach)
        left += _misfit(cuts, off, sigmas).sum(1)
        count += len(cuts)
    if not count:
        return None
    return Psf(float(sigmas[left.argmin()]), f"measured from {len(stars.xy)} stars")


def _cut(frame: Tensor, stars: Stars, motion: Motion, n: int, reach: int) -> tuple[Tensor, Tensor]:
    """Return `[S, side, side]` around stars, and how far they are off the middle, `[S, 2]`."""
    image = frame.double().numpy()
    there = motion.points(n, torch.from_numpy(stars.xy)).numpy()
    height, width = image.shape
    inside = (there >= reach + 1).all(1) & (there < np.array([width, height]) - reach - 2).all(1)
    there = centred(image, there[inside], stars.radius)
    cuts, off = [torch.empty(0, 2 * reach + 1, 2 * reach + 1, dtype=torch.float64)], []
    for x, y in there:
        column, row = round(float(x)), round(float(y))
        cut = image[row - reach : row + reach + 1, column - reach : column + reach + 1]
        if cut.shape == cuts[0].shape[1:] and np.isfinite(cut).all():
            cuts.append(torch.from_numpy(cut)[None])
            off.append([float(x) - column, float(y) - row])
    return torch.cat(cuts), torch.tensor(off, dtype=torch.float64).reshape(-1, 2)


def _misfit(cuts: Tensor, off: Tensor, sigmas: Tensor) -> Tensor:
    """Return the share of each cut's variance that a Gaussian of each σ leaves, `[sigmas, S]`."""
    side = cuts.shape[-1]
    pixel = torch.arange(side, dtype=torch.float64) - side // 2
    shares = []
    for sigma in sigmas:
        edges = (pixel - off[..., None] + 0.5), (pixel - off[..., None] - 0.5)
        upper, lower = (torch.erf(edge / (sigma * 2**0.5)) for edge in edges)
        across, down = ((upper - lower) / 2).unbind(1)
        model = down[:, :, None] * across[:, None]
        one, other = (each.flatten(1) for each in (model, cuts))
        one, other = (each - each.mean(1, keepdim=True) for each in (one, other))
        alike = (one * other).sum(1).square()
        shares.append(1 - alike / (one.square().sum(1) * other.square().sum(1)).clamp(min=1e-30))
    return torch.stack(shares)


def psf_of_spectrum(frames: Frames, motion: Motion) -> Psf | None:
    """Estimate σ blindly: what a Gaussian takes from a spectrum that falls by a power law.

    The power spectrum of photographs falls as f⁻ᵅ with α about 2.4 (Field 1987 and many since).
    The frames are added up on a finer grid, which frees them of aliases; the spectrum is freed of
    its noise and of the pixel's sinc², and

        log P(f) = c − α log f − 4π²σ²f²

    is fitted by least squares, with that belief in α. With a σ of 0.4 to 1 pixels the result was
    0.12 pixels off on Kodak's photographs (RMS; 0.22 at most), and 0.21 on telescope images, whose
    spectra fall otherwise.

    Args:
        frames: those to be fused.
        motion: of these frames.

    Returns:
        None where the spectrum is noise, or falls otherwise than a photograph's.
    """
    added = shift_and_add(frames, motion, scale=_SCALE)
    plane = grey(added.picture[None])[0].double()
    power, frequency, pixel = _spectrum(plane)
    noise = power[pixel < 1e-2].mean()
    rows, values = [[0.0, _BELIEF, 0.0]], [_BELIEF * _SLOPE]
    rings = np.geomspace(*_BAND, _RINGS + 1)
    for inner, outer in itertools.pairwise(rings):
        ring = (frequency >= inner) & (frequency < outer)
        if not ring.any():
            continue
        signal = float(((power[ring] - noise) / pixel[ring]).mean())
        if signal <= _ABOVE * float((noise / pixel[ring]).mean()):
            break
        f = float(frequency[ring].mean())
        rows.append([1.0, -math.log(f), -4 * math.pi**2 * f**2])
        values.append(math.log(signal))
    if len(rows) < _RINGS // 2:
        return None
    _, _, square = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    if square < _FLATTEST:
        return None
    sigma = min(_LARGEST, math.sqrt(max(0.0, square)))
    return Psf(round(sigma, 2), "estimated from the spectrum")


def _spectrum(plane: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return power, frequency in cycles per pixel of the frames, and what a pixel leaves of it."""
    height, width = plane.shape
    down, across = (torch.hann_window(side, dtype=torch.float64) for side in (height, width))
    window = down[:, None] * across
    power = torch.fft.fft2((plane - (plane * window).sum() / window.sum()) * window).abs() ** 2
    fy, fx = (torch.fft.fftfreq(side, dtype=torch.float64) * _SCALE for side in (height, width))
    y, x = fy[:, None].expand_as(power), fx.expand_as(power)
    pixel = torch.ones_like(power)
    for f in (x, y, x / _SCALE, y / _SCALE):  # the frames', and that of the finer grid
        pixel = pixel * torch.sinc(f) ** 2
    return power, torch.hypot(x, y), pixel


def given_psf(how: str) -> Psf | None:
    """Read σ from what a user wrote, or None where it is one of the `WAYS` to find it.

    Raises:
        UserError: for any other word.
    """
    if how in WAYS:
        return None
    try:
        return Psf(float(how), "given")
    except ValueError:
        raise UserError(f"--psf: {how!r} is neither a number nor {', '.join(WAYS)}") from None


def find_psf(frames: Frames, motion: Motion, how: str) -> Psf:
    """Find the point-spread function in one of the `WAYS`.

    Args:
        frames: those to be fused.
        motion: of these frames.
        how: "stars", "spectrum", or "auto": stars for measured frames (FITS) that have some.

    Raises:
        UserError: it cannot be found in this way, or sep is absent and wanted.
    """
    found = None
    if how == "stars" or (how == "auto" and frames.header is not None):
        found = psf_of_stars(frames, motion)
    if how != "stars":
        found = found or psf_of_spectrum(frames, motion)
    if found is None:
        missing = (
            f"fewer than {_STARS} single stars are"
            if how == "stars"
            else "no photograph's spectrum is"
        )
        raise UserError(f"--psf {how}: {missing} in the frames; give it as a number")
    return found

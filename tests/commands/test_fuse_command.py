import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan_lightning.cli import app, main
from srgan_lightning.commands import enlarging
from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.multiframe.fusion.corrected import BurstMAP
from srgan_lightning.networks.generators.burst_sr import BurstSR
from srgan_lightning.networks.weights import file_hash, save_generator

fits = pytest.importorskip("astropy.io.fits")


def srgan(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    assert app is not None
    monkeypatch.setattr("sys.argv", ["srgan", "fuse", *map(str, arguments)])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def burst(tmp_path: Path) -> Path:
    """Six frames of a picture with edges."""
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(1, 3, 12, 14, generator=generator).repeat_interleave(16, 2)
    hr = hr.repeat_interleave(16, 3)
    frames, _ = Burst(scale=4, frames=6).observe(hr, generator)
    folder = tmp_path / "burst"
    folder.mkdir()
    for n, frame in enumerate(frames[0]):
        levels = (frame * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(levels).save(folder / f"{n}.png")
    return folder


def test_png_has_16_bits_and_says_where_it_comes_from(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "fused.png"
    motion = tmp_path / "motion.json"
    told = ("--method", "back-projection", "--maps", "--save-motion", motion)
    assert srgan(monkeypatch, burst, "-o", out, *told) == 0
    with Image.open(out) as image:
        assert image.size == (14 * 16, 12 * 16)
        assert "back-projection of 6 of 6 frames, x4, psf 0.5 (given)" in image.text["Fusion"]
        assert image.text["Brightness"] == "the same in all frames"
    assert out.read_bytes()[24] == 16  # bits of a sample
    assert (tmp_path / "fused.weight.tif").exists()
    again = tmp_path / "again.png"
    given = ("--method", "back-projection", "--motion-file", motion)
    assert srgan(monkeypatch, burst, "-o", again, *given) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(again)))


def test_the_motion_that_is_saved_is_the_refined_one(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    linear, refined = tmp_path / "linear.json", tmp_path / "refined.json"
    out, again = tmp_path / "out.png", tmp_path / "again.png"
    ways = ("--method", "shift-and-add", "--save-motion", linear)
    assert srgan(monkeypatch, burst, "-o", tmp_path / "linear.png", *ways) == 0
    assert srgan(monkeypatch, burst, "-o", out, "--save-motion", refined) == 0
    assert srgan(monkeypatch, burst, "-o", again, "--motion-file", refined) == 0
    assert linear.read_text() != refined.read_text()
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(again)))
    with Image.open(out) as one, Image.open(again) as other:
        assert one.text["Fusion"].endswith("motion translation, refined on the fused picture")
        assert other.text["Fusion"].endswith("motion given")


def test_frames_that_are_not_kept_are_registered_for_a_file_of_motion_only(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    Image.fromarray(np.zeros((48, 56, 3), np.uint8)).save(burst / "6.png")
    kept = ("--method", "shift-and-add", "--keep", "50%")
    assert srgan(monkeypatch, burst, "-o", tmp_path / "1.png", *kept) == 0
    assert "6.png" not in capsys.readouterr().err
    motion = tmp_path / "motion.json"
    saved = (*kept, "--save-motion", motion)
    assert srgan(monkeypatch, burst, "-o", tmp_path / "2.png", *saved) == 0
    assert "6.png: is not fused" in capsys.readouterr().err
    assert len(Motion.load(motion)) == 7
    given = (*kept, "--motion-file", motion)
    assert srgan(monkeypatch, burst, "-o", tmp_path / "3.png", *given) == 0
    one, other, again = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in (1, 2, 3))
    np.testing.assert_allclose(one.astype(int), other, atol=1)
    np.testing.assert_array_equal(other, again)
    with Image.open(tmp_path / "3.png") as image:
        assert image.text["Fusion"].startswith("shift-and-add of 4 of 7 frames")


def test_without_a_terminal_lines_tell_how_far_it_is(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(enlarging, "_PAUSE", 0.0)
    ways = ("--method", "shift-and-add")
    assert srgan(monkeypatch, burst, "-o", tmp_path / "out.png", *ways) == 0
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("registering: 100 %") for line in lines)
    assert any(line.startswith("fusing: 100 %") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--keep", "0%"), "--keep"),
        (("--scale", "9"), "--scale"),
        (("--psf", "-1"), "--psf"),
        (("--device", "abacus"), "device: 'abacus'"),
        (("--psf", "moffat"), "--psf: 'moffat'"),
        (("--psf", "stars"), "--psf stars: fewer than 3"),
        (("--psf", "moffat", "--model", "slow-to-load.safetensors"), "--psf: 'moffat'"),
        (("--motion-file", "nothing.json"), "nothing.json"),
        (("--then", "nothing.safetensors"), "nothing.safetensors"),
        (("--then", "photo-psnr", "--maps"), "--maps: "),
    ],
)
def test_bad_input_ends_in_a_line(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, arguments, told: str
):
    assert srgan(monkeypatch, burst, "-o", tmp_path / "out.png", *arguments) == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("srgan: error: ")
    assert told in line
    assert not list(tmp_path.glob("*out*"))


def bad_burst(kind: str, folder: Path) -> Path:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 40, 48, 3)).astype(np.uint8)
    frames = {
        "one": [noise[0]],
        "sizes": [noise[0], noise[0, :30]],
        "mixed": [noise[0], noise[0, ..., 0]],
        "strangers": list(noise),
        "flat": [np.full_like(noise[0], 90)] * 3,
    }.get(kind)
    if frames is not None:
        folder.mkdir()
        for n, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"{n}.png")
        return folder
    cube = {"order": rng.random((40, 48, 5)), "nothing": np.full((3, 40, 48), np.nan)}[kind]
    fits.writeto(folder.with_suffix(".fits"), cube.astype(np.float32))
    return folder.with_suffix(".fits")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("one", "one frame only can be read"),
        ("sizes", "the frames of a burst have one size"),
        ("mixed", "are all grey or all colour"),
        ("strangers", "no frame fits "),
        ("flat", "is flat; nothing in it can be registered"),
        ("order", "The axis of time must be NAXIS3"),
        ("nothing", "no frame can be read"),
    ],
)
def test_no_burst_ends_in_a_line_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, kind: str, told: str
):
    given = bad_burst(kind, tmp_path / "given")
    out = tmp_path / ("out.fits" if given.suffix else "out.png")
    motion = tmp_path / "out.json"
    assert srgan(monkeypatch, given, "-o", out, "--save-motion", motion) == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("srgan: error: ")
    assert told in line
    assert not list(tmp_path.glob("*out*"))


def test_identical_frames_are_fused_with_a_word(burst: Path, tmp_path: Path, monkeypatch, capsys):
    same, out = [burst / "0.png"] * 3, tmp_path / "out.png"
    assert srgan(monkeypatch, *same, "-o", out, "--method", "shift-and-add") == 0
    assert "gain no detail" in capsys.readouterr().err
    assert out.exists()


def test_holes_and_infinite_pixels_do_not_spread(tmp_path: Path, monkeypatch):
    rng = np.random.default_rng(0)
    shifts = [(0.0, 0.0), *rng.uniform(-0.9, 0.9, (5, 2))]
    cube = (np.stack([stars(s) for s in shifts]) + rng.normal(10, 0.1, (6, 48, 56))).astype("f4")
    holed = cube.copy()
    holed[:, 20:26, 20:26] = np.nan
    holed[2, 40, 40], holed[3, 8, 8] = np.inf, -np.inf
    made = []
    for name, data in (("whole", cube), ("holed", holed)):
        fits.writeto(tmp_path / f"{name}.fits", data)
        out = tmp_path / f"{name}-fused.fits"
        options = ("--method", "kernel", "--scale", "2", "-o", out)
        assert srgan(monkeypatch, tmp_path / f"{name}.fits", *options) == 0
        made.append(fits.getdata(out))
    assert np.isnan(made[1][44:48, 44:48]).all()  # nobody looked there
    there = np.isfinite(made[1])
    assert there.mean() > 0.97
    assert np.median(np.abs(made[1] - made[0])[there]) < 0.02
    assert np.abs(made[1] - made[0])[60:].max() < 1


def test_pictures_do_not_become_fits(burst: Path, tmp_path: Path, monkeypatch, capsys):
    assert srgan(monkeypatch, burst, "-o", tmp_path / "out.fits") == 2
    assert "the frames are pictures" in capsys.readouterr().err


def stars(shift: tuple[float, float]) -> np.ndarray:
    y, x = np.mgrid[:48, :56].astype(float)
    picture = np.zeros((48, 56))
    for cx, cy, flux in ((14.3, 12.8, 900), (40.1, 30.4, 1500), (20.6, 36.2, 600)):
        square = (x - cx - shift[0]) ** 2 + (y - cy - shift[1]) ** 2
        picture += flux / (2 * np.pi * 1.5**2) * np.exp(-square / (2 * 1.5**2))
    return picture


@pytest.mark.parametrize("method", ["map", "drizzle", "back-projection"])
def test_fits_keeps_flux_and_sky(tmp_path: Path, monkeypatch, method: str):
    from astropy.wcs import WCS

    rng = np.random.default_rng(0)
    shifts = [(0.0, 0.0), *rng.uniform(-1, 1, (11, 2))]
    cube = np.stack([stars(shift) for shift in shifts]) + 10
    cube += rng.normal(0, 0.05, cube.shape)
    header = fits.Header()
    for key, value in {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRPIX1": 20.0,
        "CRPIX2": 25.0,
        "CRVAL1": 83.0,
        "CRVAL2": -5.0,
        "CDELT1": -1e-4,
        "CDELT2": 1e-4,
    }.items():
        header[key] = value
    fits.writeto(tmp_path / "cube.fits", cube.astype(np.float32), header)
    out = tmp_path / "out.fits"
    options = ("--method", method, "--flux", "conserve", "--psf", "0.3", "--pixfrac", "1")
    assert srgan(monkeypatch, tmp_path / "cube.fits", "-o", out, *options) == 0
    with fits.open(out) as units:
        assert [unit.name for unit in units[1:]] == ["WEIGHT", "UNCERTAINTY"]
        assert units[0].shape == units[1].shape == units[2].shape == (192, 224)
        assert any(
            "surface" in line or "flux conserved" in line for line in units[0].header["HISTORY"]
        )
        values = units[0].data.astype(float) - 10 / 16
        before, after = WCS(header), WCS(units[0].header)
    for cx, cy, flux in ((14.3, 12.8, 900), (40.1, 30.4, 1500)):
        sky = before.all_pix2world([[cx, cy]], 0)
        ((px, py),) = after.all_world2pix(sky, 0)
        left, top = round(px) - 32, round(py) - 32
        cut = values[top : top + 65, left : left + 65]
        y, x = np.mgrid[top : top + 65, left : left + 65]
        assert cut.sum() == pytest.approx(flux, rel=3e-3)
        assert (cut * x).sum() / cut.sum() == pytest.approx(px, abs=0.15)
        assert (cut * y).sum() / cut.sum() == pytest.approx(py, abs=0.15)


def test_the_blur_of_stars_is_measured_and_told(tmp_path: Path, monkeypatch):
    rng = np.random.default_rng(0)
    cube = np.stack([stars((x, 0)) for x in (0.0, 0.4, 0.8)]) + rng.normal(10, 0.05, (3, 48, 56))
    fits.writeto(tmp_path / "cube.fits", cube.astype(np.float32))
    out = tmp_path / "out.fits"
    options = ("--method", "back-projection", "--scale", "2", "--psf", "stars")
    assert srgan(monkeypatch, tmp_path / "cube.fits", "-o", out, *options) == 0
    history = "".join(fits.getheader(out)["HISTORY"])
    sigma = float(history.split("psf ")[1].split(" ")[0])
    assert sigma == pytest.approx((1.5**2 - 1 / 12) ** 0.5, abs=0.03)  # these have no pixels
    assert "(measured from 3" in history


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("shift-and-add", ("--scale", "2")),
        ("drizzle", ("--scale", "2", "--pixfrac", "1")),
        ("drizzle", ("--scale", "4", "--pixfrac", "0.7")),
    ],
)
def test_linear_methods_keep_flux_to_a_thousandth_and_the_sky_to_a_tenth_of_a_pixel(
    tmp_path: Path, monkeypatch, method: str, options: tuple[str, ...]
):
    """Twelve stars, whose places a catalogue tells, through clouds and a glowing sky."""
    from astropy.wcs import WCS

    rng = np.random.default_rng(3)
    height, width, scale = 96, 110, int(options[1])
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix, wcs.wcs.crval = [50.0, 40.0], [83.0, -5.0]
    wcs.wcs.cd = 1e-4 * np.array([[-0.95, 0.3], [0.3, 0.95]])
    places = np.array([[x, y] for x in (15, 42, 69, 96) for y in (16, 46, 78)])
    places = places + rng.uniform(-2, 2, places.shape)
    catalogue = wcs.all_pix2world(places, 0)
    fluxes = rng.uniform(4e3, 4e4, len(places))
    shifts = np.concatenate([[[0, 0]], rng.uniform(-1.5, 1.5, (23, 2))])
    gains = np.concatenate([[1], rng.uniform(0.8, 1.1, 23)])
    skies = np.concatenate([[50], rng.uniform(30, 90, 23)])
    y, x = np.mgrid[:height, :width].astype(float)
    cube = np.zeros((24, height, width))
    for n in range(24):
        for (cx, cy), flux in zip(places + shifts[n], fluxes, strict=True):
            square = (x - cx) ** 2 + (y - cy) ** 2
            cube[n] += flux / (2 * np.pi * 1.6**2) * np.exp(-square / (2 * 1.6**2))
    cube = cube * gains[:, None, None] + skies[:, None, None] + rng.normal(0, 0.3, cube.shape)
    fits.writeto(tmp_path / "cube.fits", cube.astype(np.float32), wcs.to_header())
    out = tmp_path / "out.fits"
    told = ("--method", method, "--flux", "conserve", *options)
    assert srgan(monkeypatch, tmp_path / "cube.fits", "-o", out, *told) == 0
    with fits.open(out) as units:
        values, header = units[0].data.astype(float), units[0].header
    assert any("Brightness: evened out, gains 0.8" in line for line in header["HISTORY"])
    values -= 50 / scale**2  # the first frame's sky
    there = WCS(header).all_world2pix(catalogue, 0)
    reach = 9 * scale
    for (px, py), flux in zip(there, fluxes, strict=True):
        left, top = round(px) - reach, round(py) - reach
        cut = (slice(max(0, top), top + 2 * reach + 1), slice(max(0, left), left + 2 * reach + 1))
        v, u = np.mgrid[: values.shape[0], : values.shape[1]]
        light = values[cut]
        assert light.sum() == pytest.approx(flux, rel=1e-3)
        assert (light * u[cut]).sum() / light.sum() == pytest.approx(px, abs=0.1)
        assert (light * v[cut]).sum() / light.sum() == pytest.approx(py, abs=0.1)


@pytest.fixture
def fuser(tmp_path: Path) -> Path:
    options = {"blocks": 1, "width": 8}
    file = tmp_path / "fuser.safetensors"
    state = BurstSR(**options).state_dict()
    save_generator(file, state, name="burst_sr", arguments=options, scale=4, facts={})
    return file


def test_a_trained_generator_fuses(
    burst: Path, fuser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "learned.png"
    assert srgan(monkeypatch, burst, "-o", out, "--model", fuser) == 0
    with Image.open(out) as image:
        assert image.size == (14 * 16, 12 * 16)
        told = image.text["Fusion"]
        assert told.startswith(f"fuser.safetensors sha256:{file_hash(fuser)} of 6 of 6 frames, x4")


def test_a_generator_that_undoes_blur_is_told_it_and_refines_the_motion(
    burst: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    options = {"blocks": 1, "width": 8}
    state = BurstMAP(**options).state_dict()
    file, out, plain = (tmp_path / name for name in ("corrects.safetensors", "a.png", "b.png"))
    save_generator(file, state, name="burst_map", arguments=options, scale=4, facts={})
    assert srgan(monkeypatch, burst, "-o", out, "--model", file, "--psf", "0.3") == 0
    assert srgan(monkeypatch, burst, "-o", plain, "--psf", "0.3") == 0
    with Image.open(out) as made, Image.open(plain) as most_probable:
        told = made.text["Fusion"]
        assert " of 6 of 6 frames, x4, psf 0.3 (given), motion translation, refined" in told
        one, other = (np.asarray(picture).astype(int) for picture in (made, most_probable))
    assert one.max() <= 255  # as Pillow reads RGB of 16 bits
    assert abs(one - other)[48:-48, 48:-48].mean() < 1  # untrained it corrects nothing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "map"), "--method map: --model "),
        (("--scale", "2"), "enlarges by 4; say --scale 4"),
        (("--maps",), "--maps: nobody knows how sure a generator is"),
        (("--model", "photo-psnr"), "photo-psnr: enlarges single pictures; --then photo-psnr"),
    ],
)
def test_what_a_generator_cannot_do_is_said(
    options: tuple[str, ...],
    message: str,
    burst: Path,
    fuser: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    out = tmp_path / "learned.png"
    assert srgan(monkeypatch, burst, "-o", out, "--model", fuser, *options) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()

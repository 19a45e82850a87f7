import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from srgan_lightning.commands.upscale import upscale
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.inference.planes import enlarge_plane
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.samples import sample_folder

fits = pytest.importorskip("astropy.io.fits", reason="wants the extra astro")
wcs = pytest.importorskip("astropy.wcs", reason="wants the extra astro")

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(upscale)
SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 83.8, "CRVAL2": -5.4}
SKY |= {"CRPIX1": 7.25, "CRPIX2": 3.5}
SYSTEMS = {
    "CDELT": {"CDELT1": -3e-4, "CDELT2": 3e-4},
    "CROTA": {"CDELT1": -3e-4, "CDELT2": 3e-4, "CROTA2": 20.0},
    "PC": {
        "CDELT1": -3e-4,
        "CDELT2": 4e-4,
        "PC1_1": 0.8,
        "PC1_2": 0.6,
        "PC2_1": -0.6,
        "PC2_2": 0.8,
    },
    "PC alone": {"PC1_1": -3e-4, "PC2_2": 3e-4},
    "CD": {"CD1_1": -3e-4, "CD1_2": 1e-5, "CD2_1": 2e-5, "CD2_2": 3e-4},
    "SIP": {
        "CTYPE1": "RA---TAN-SIP",
        "CTYPE2": "DEC--TAN-SIP",
        "CD1_1": -3e-4,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": 3e-4,
        "A_ORDER": 2,
        "B_ORDER": 3,
        "A_2_0": 1e-4,
        "A_1_1": -2e-4,
        "B_0_3": 3e-5,
    },
}


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def put(path: Path, data: np.ndarray, keys: dict | None = None) -> Path:
    header = fits.Header()
    header.update(keys or {})
    fits.PrimaryHDU(data, header).writeto(path)
    return path


def saturn() -> np.ndarray:
    paths = [p for s in ("train", "heldout") for p in list_images(sample_folder(s))]
    path = next(path for path in paths if "saturn" in path.stem.lower())
    return read_rgb(path)[::12, ::12, 1]


@pytest.mark.parametrize("keys", SYSTEMS.values(), ids=SYSTEMS)
def test_pixels_point_at_the_same_sky(tmp_path, keys):
    source = put(tmp_path / "a.fits", np.ones((8, 12), np.float32), SKY | keys)
    assert call(source, "-o", tmp_path / "b.fits").exit_code == 0
    old, new = (
        wcs.WCS(fits.getheader(tmp_path / name), relax=True) for name in ("a.fits", "b.fits")
    )
    y, x = np.mgrid[0.5:9:0.5, 0.5:13:0.5]  # centres and corners, the first centre at 1
    sky = old.all_pix2world(x.ravel(), y.ravel(), 1)
    enlarged = new.all_pix2world((x.ravel() - 0.5) * 4 + 0.5, (y.ravel() - 0.5) * 4 + 0.5, 1)
    assert np.abs(np.subtract(sky, enlarged)).max() < 1e-9
    assert np.ptp(sky[0]) > 1e-3


def test_the_spectral_axis_of_a_cube_stays(tmp_path):
    cube = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    keys = SKY | SYSTEMS["CDELT"] | {"CTYPE3": "VELO", "CRPIX3": 1.0, "CRVAL3": 5.0, "CDELT3": 2.0}
    source = put(tmp_path / "a.fits", cube, keys)
    assert call(source, "-o", tmp_path / "b.fits", "-m", "lanczos").exit_code == 0
    data, header = fits.getdata(tmp_path / "b.fits", header=True)
    upscaler = TorchUpscaler.load("lanczos", precision="32-true")
    expected = np.stack([enlarge_plane(plane, upscaler) for plane in cube])
    assert np.allclose(data, expected, atol=1e-5)
    assert [header[key] for key in ("CRPIX3", "CRVAL3", "CDELT3")] == [1, 5, 2]


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
def test_every_bitpix(tmp_path, kind):
    data = saturn().astype(kind)
    source = put(tmp_path / "a.fits", data)
    assert call(source, "-o", tmp_path / "b.fits", "-m", "lanczos").exit_code == 0
    enlarged, header = fits.getdata(tmp_path / "b.fits", header=True)
    assert header["BITPIX"] == (-32 if kind in ("u1", "i2", "u2", "f4") else -64)
    assert enlarged.shape == (data.shape[0] * 4, data.shape[1] * 4)
    assert "BZERO" not in header
    expected = enlarge_plane(data, TorchUpscaler.load("lanczos", precision="32-true"))
    assert np.allclose(enlarged, expected, atol=1e-4)
    told = " ".join(header["HISTORY"])
    assert "enlarged 4 times, surface brightness kept" in told
    assert "Model: lanczos" in told
    assert "Precision: 32-true" in told


def test_blank_and_scaled_integers(tmp_path):
    levels = np.array([[10, 20, -99], [30, 40, 50]], np.int16)
    header = fits.PrimaryHDU(levels).header
    header["BLANK"], header["BSCALE"], header["BZERO"] = -99, 0.5, 100.0
    data = levels.astype(">i2").tobytes().ljust(2880, b"\0")
    (tmp_path / "a.fits").write_bytes(header.tostring().encode() + data)
    assert call(tmp_path / "a.fits", "-o", tmp_path / "b.fits", "--model", "nearest").exit_code == 0
    enlarged = fits.getdata(tmp_path / "b.fits")
    assert np.isnan(enlarged[:4, 8:]).all()
    assert np.isnan(enlarged).sum() == 16
    assert np.allclose(enlarged[::4, ::4][1], [115, 120, 125], atol=1e-4)


def test_flux_is_conserved_when_asked(tmp_path):
    data = np.pad(saturn().astype(np.float64), 8)
    source = put(tmp_path / "a.fits", data)
    by = ("-m", "lanczos")
    assert call(source, "-o", tmp_path / "kept.fits", *by).exit_code == 0
    assert call(source, "-o", tmp_path / "sum.fits", *by, "--flux", "conserve").exit_code == 0
    kept, conserved = (fits.getdata(tmp_path / name) for name in ("kept.fits", "sum.fits"))
    assert np.allclose(conserved * 16, kept)
    assert conserved.sum() == pytest.approx(data.sum(), rel=1e-3)
    assert kept.mean() == pytest.approx(data.mean(), rel=1e-3)
    assert "flux conserved" in str(fits.getheader(tmp_path / "sum.fits")["HISTORY"])


def test_extensions_and_tables_are_kept(tmp_path):
    column = fits.Column(name="x", format="J", array=[1, 2, 3])
    units = [
        fits.PrimaryHDU(),
        fits.ImageHDU(np.ones((4, 5), np.float32), name="SCI"),
        fits.BinTableHDU.from_columns([column]),
        fits.CompImageHDU(np.ones((32, 32), np.int16), name="DQ"),
    ]
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    assert call(tmp_path / "a.fits", "-o", tmp_path / "b.fits").exit_code == 0
    with fits.open(tmp_path / "b.fits") as enlarged:
        assert [unit.name for unit in enlarged][1::2] == ["SCI", "DQ"]
        assert enlarged["SCI"].shape == (16, 20)
        assert enlarged[2].data["x"].tolist() == [1, 2, 3]
        assert enlarged["DQ"].shape == (128, 128)


def test_folders_hold_fits_too(tmp_path):
    (tmp_path / "in").mkdir()
    put(tmp_path / "in/a.fit", np.ones((3, 3), np.float32))
    assert call(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out/a.fits").is_file()


def test_broken_files_and_files_without_images(tmp_path):
    (tmp_path / "in").mkdir()
    put(tmp_path / "in/good.fits", np.ones((3, 3), np.float32))
    put(tmp_path / "in/spectrum.fits", np.ones(9, np.float32))
    (tmp_path / "in/text.fits").write_text("no FITS")
    result = call(tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 of 3 pictures enlarged" in result.stdout
    assert "spectrum.fits: holds no image of two or more axes" in result.stderr
    assert "text.fits: cannot be read as FITS" in result.stderr


def test_mistakes_are_said_in_one_line(tmp_path, monkeypatch):
    source = put(tmp_path / "a.fits", np.ones((3, 3), np.float32))
    caught = call(source, "-o", tmp_path / "b.png").exception
    assert isinstance(caught, UserError)
    assert "FITS becomes FITS" in str(caught)
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    assert "srgan-lightning[astro]" in call(source, "-o", tmp_path / "b.fits").stderr


def test_distortions_in_tables_are_said(tmp_path):
    keys = SKY | SYSTEMS["CD"] | {"CPDIS1": "LOOKUP"}
    source = put(tmp_path / "a.fits", np.ones((3, 3), np.float32), keys)
    with pytest.warns(UserWarning, match=r"distortions in tables \(CPDIS1\) are not scaled"):
        call(source, "-o", tmp_path / "b.fits")

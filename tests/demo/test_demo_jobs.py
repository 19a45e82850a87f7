import numpy as np
import pytest
from PIL import Image

from srgan_lightning.demo import jobs
from srgan_lightning.demo.jobs import enlarge, look
from srgan_lightning.demo.models import Models
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.imaging.read import image_size, read_rgb
from srgan_lightning.inference.documents import enlarge_document
from srgan_lightning.inference.provenance import provenance
from srgan_lightning.samples import sample_folder

RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def models():
    return Models(["nearest"], device="cpu", precision="32-true")


def run(source, folder, models, name="nearest", **options):
    parts = []
    options = {"max_megapixels": 4, "on_progress": parts.append} | options
    return enlarge(source, folder, models[name], name=name, **options), parts


def save(path, image, **options):
    image.save(path, **options)
    return path


def rgba(path):
    return save(path, Image.fromarray(RNG.integers(0, 256, (9, 14, 4), np.uint8)), dpi=(72, 72))


def sixteen(path):
    return save(path, Image.fromarray(RNG.integers(0, 65536, (9, 14), np.uint16)))


@pytest.mark.parametrize("make", [rgba, sixteen])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_file_is_that_of_srgan_upscale_byte_for_byte(models, tmp_path, make, suffix):
    source = make(tmp_path / f"a{suffix}")
    made, _ = run(source, tmp_path / "made", models, "bicubic")
    upscaler = models["bicubic"]
    document = enlarge_document(read_document(source), upscaler)
    expected = tmp_path / f"expected{suffix}"
    write_document(expected, document, provenance=provenance(upscaler, depth=document.depth))
    assert made.file.name == f"a_x4{suffix}"
    assert made.file.read_bytes() == expected.read_bytes()


def test_before_and_after_are_of_one_size_and_what_a_viewer_shows(models, tmp_path):
    source = rgba(tmp_path / "a.png")
    made, parts = run(source, tmp_path / "made", models)
    small = Image.fromarray(read_rgb(source))
    bicubic = np.asarray(small.resize((56, 36), Image.Resampling.BICUBIC))
    assert np.array_equal(read_rgb(made.before), bicubic)
    assert np.array_equal(read_rgb(made.after), read_rgb(made.file))
    assert made.facts.startswith("14 × 9 to 56 × 36 pixels · nearest · ")
    assert made.facts.endswith(" · 32-true")
    assert parts == [1.0]


def test_a_large_result_is_shown_reduced_and_downloaded_whole(models, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "SHOWN", 56 * 36 // 4)
    made, _ = run(rgba(tmp_path / "a.png"), tmp_path / "made", models)
    sizes = [image_size(path) for path in (made.before, made.after, made.file)]
    assert sizes == [(18, 28), (18, 28), (36, 56)]
    assert "shown at 50%" in made.facts


def test_progress_grows_to_one_tile_by_tile(models, tmp_path):
    source = save(tmp_path / "wide.png", Image.new("RGB", (600, 8)))
    models["nearest"].tile = 256
    _, parts = run(source, tmp_path / "made", models)
    models["nearest"].tile = "auto"
    assert parts == sorted(parts)
    assert len(parts) == 3
    assert parts[-1] == 1


def test_what_is_lost_is_remarked_without_the_folder(models, tmp_path):
    first, second = Image.new("RGB", (5, 5)), Image.new("RGB", (5, 5), "red")
    source = save(tmp_path / "pages.tif", first, save_all=True, append_images=[second])
    made, _ = run(source, tmp_path / "made", models)
    assert made.remarks == ("pages.tif: only the first of its pictures is enlarged",)


def test_the_limit_is_of_the_input_and_exact(tmp_path):
    source = save(tmp_path / "a.png", Image.new("RGB", (1000, 20)))
    assert look(source, max_megapixels=0.02).shape == (20, 1000, 3)
    with pytest.raises(UserError, match=r"^a\.png: 1000 × 20 are 0\.02 MP, .* at most 0\.0199"):
        look(source, max_megapixels=0.0199)


def broken(path):
    whole = (sample_folder("heldout") / "saturn.jpg").read_bytes()
    path.write_bytes(whole[:5000])
    return path


def text(path):
    path.write_text("no picture")
    return path


def floating(path):
    return save(path.with_suffix(".tif"), Image.fromarray(np.ones((4, 4), np.float32)))


@pytest.mark.parametrize("make", [broken, text, floating])
def test_what_cannot_be_shown_is_told_by_its_name(tmp_path, make):
    source = make(tmp_path / "a.jpg")
    with pytest.raises(UserError) as error:
        look(source, max_megapixels=4)
    assert str(error.value).startswith(f"{source.name}: ")
    assert str(tmp_path) not in str(error.value)
    assert "\n" not in str(error.value)

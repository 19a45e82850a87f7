import numpy as np
import pytest
from PIL import Image

from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.imaging.write import whole_file, write_png


def test_png_round_trip_with_text(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = tmp_path / "new" / "a.png"
    write_png(path, picture, text={"Software": "srgan", "Comment": "σ = 1.6"})
    assert np.array_equal(read_rgb(path), picture)
    with Image.open(path) as image:
        assert image.text == {"Software": "srgan", "Comment": "σ = 1.6"}
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        write_png(tmp_path / "a.png", np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="float64"):
        write_png(tmp_path / "a.png", np.zeros((4, 4, 3)))


def test_interrupted_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with whole_file(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

"""The strips of docs/fuse.md."""

import numpy as np
from burst_strip import strip
from PIL import Image

from srgan_lightning.evaluation.comparison import CAPTION, GAP, Box


def test_a_strip_shows_the_best_frame_and_the_fused_picture(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "burst").mkdir()
    for number, blocks in enumerate((3, 6, 12)):
        pixels = random.integers(0, 256, (blocks, blocks, 3), np.uint8)
        frame = Image.fromarray(pixels).resize((24, 24), Image.Resampling.BICUBIC)
        frame.save(tmp_path / f"burst/{number}.png")
    fused = random.integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(fused).save(tmp_path / "fused.png")
    drawn = strip(tmp_path / "burst", tmp_path / "fused.png", ["bicubic"], box=Box(8, 8, 64))
    _, bicubic, last = (
        drawn[CAPTION : CAPTION + 64, left : left + 64] for left in range(GAP, 3 * 72, 72)
    )
    np.testing.assert_array_equal(last, fused[8:72, 8:72])
    expected = frame.resize((96, 96), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(bicubic, np.asarray(expected)[8:72, 8:72], atol=8)

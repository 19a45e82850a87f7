import numpy as np
import pytest

from srgan_lightning.evaluation import Box, comparison_picture, most_detailed
from srgan_lightning.evaluation.comparison import CAPTION, GAP, MARK


def photograph(height: int = 160, width: int = 240) -> np.ndarray:
    return np.random.default_rng(0).integers(90, 100, (height, width, 3), np.uint8)


def panels(hr: np.ndarray) -> dict[str, np.ndarray]:
    grey = np.full_like(hr, 128)
    return {"LR": hr[::4, ::4], "bicubic": grey, "SR": grey, "HR": hr}


def cell(sheet: np.ndarray, index: int, *, tile: int, row: int = 0) -> np.ndarray:
    """Return the enlarged detail at a place of the sheet; place 0 is the whole photograph."""
    left = GAP + index * (tile + GAP)
    top = CAPTION + row * (CAPTION + tile)
    return sheet[top : top + tile, left : left + tile]


def test_the_most_detailed_square_is_where_the_detail_is():
    hr = np.full((160, 240, 3), 100, np.uint8)
    hr[80:112, 128:160] = photograph(32, 32) + 5
    assert most_detailed(hr, side=32) == Box(80, 128, 32)


@pytest.mark.parametrize(("height", "width"), [(20, 300), (300, 20), (5, 5), (33, 47)])
def test_the_square_fits_into_any_picture(height, width):
    box = most_detailed(photograph(height, width), side=32)
    assert box.side == min(32, height, width)
    assert 0 <= box.top <= height - box.side
    assert 0 <= box.left <= width - box.side


def test_details_are_the_same_place_of_every_method_enlarged():
    hr = photograph()
    sheet = comparison_picture([panels(hr)], boxes=[Box(16, 40, 32)], zoom=3)
    tile = 32 * 3
    assert sheet.dtype == np.uint8
    assert sheet.shape == (CAPTION + tile + GAP, 5 * (tile + GAP) + GAP, 3)
    detail = hr[16:48, 40:72]
    assert (cell(sheet, 4, tile=tile)[::3, ::3] == detail).all()
    assert (cell(sheet, 2, tile=tile) == 128).all()
    lr = cell(sheet, 1, tile=tile)
    assert (lr[::12, ::12] == detail[::4, ::4]).all()
    assert (lr[:12, :12] == lr[0, 0]).all()


def test_the_whole_photograph_has_its_detail_marked():
    sheet = comparison_picture([panels(photograph())], side=32, zoom=3)
    marked = (cell(sheet, 0, tile=96) == MARK).all(-1)
    assert marked.any()
    assert not (cell(sheet, 4, tile=96) == MARK).all(-1).any()


def test_every_detail_has_a_caption():
    sheet = comparison_picture([panels(photograph())], titles=["bird"], side=32, zoom=3)
    for index in range(5):
        left = GAP + index * (96 + GAP)
        strip = sheet[:CAPTION, left : left + 96]
        assert (strip < 100).all(-1).sum() > 10


def test_rows_stand_one_below_the_other():
    hr = photograph()
    other = hr[::-1].copy()
    boxes = [Box(0, 0, 32), Box(8, 8, 32)]
    sheet = comparison_picture([panels(hr), panels(other)], boxes=boxes, zoom=2)
    assert (cell(sheet, 4, tile=64, row=1)[::2, ::2] == other[8:40, 8:40]).all()


def test_long_captions_are_made_to_fit():
    hr = photograph()
    sheet = comparison_picture([{"a caption much too long for this": hr}], side=32, zoom=3)
    assert (sheet[:CAPTION, : GAP + 96] == 255).all()


def test_odd_requests_are_refused():
    with pytest.raises(ValueError, match="at least one row"):
        comparison_picture([])
    hr = photograph()
    with pytest.raises(ValueError, match=r"SR: .* does not divide"):
        comparison_picture([{"SR": hr[:-1], "HR": hr}])

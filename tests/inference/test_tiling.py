import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.inference.tiling import seam_energy, spans

lengths = st.integers(1, 300)
sizes = st.integers(1, 80)
halos = st.integers(0, 50)


@given(length=lengths, tile=sizes, halo=halos)
def test_spans_cover_an_axis_once_and_read_their_halo(length, tile, halo):
    cut = list(spans(length, tile, halo))
    assert [s.start for s in cut] == [0, *(s.stop for s in cut[:-1])]
    assert cut[-1].stop == length
    for span in cut:
        assert 1 <= span.stop - span.start <= tile
        assert span.first == max(0, span.start - halo)
        assert span.last == min(length, span.stop + halo)


@given(length=lengths, tile=sizes)
def test_spans_are_of_equal_size(length, tile):
    widths = {s.stop - s.start for s in spans(length, tile, 0)}
    assert max(widths) - min(widths) <= 1


@given(height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(1, 20), halo=halos)
def test_tiles_put_a_picture_together_again(height, width, tile, halo):
    scale = 2
    picture = np.arange(height * width).reshape(height, width)
    enlarged = picture.repeat(scale, 0).repeat(scale, 1)
    result = np.full_like(enlarged, -1)
    cut = itertools.product(spans(height, tile, halo), [*spans(width, tile, halo)])
    for rows, columns in cut:
        piece = picture[rows.read(), columns.read()].repeat(scale, 0).repeat(scale, 1)
        target = (rows.write(scale), columns.write(scale))
        assert (result[target] == -1).all()
        result[target] = piece[rows.keep(scale), columns.keep(scale)]
    assert (result == enlarged).all()


@given(length=lengths, tile=sizes)
def test_cells_are_full_but_for_the_last(length, tile):
    cut = list(spans(length, tile, 0, equal=False))
    assert [s.stop - s.start for s in cut[:-1]] == [tile] * (len(cut) - 1)
    assert cut[-1].stop == length
    assert all((s.first, s.last) == (s.start, s.stop) for s in cut)


@given(length=lengths, tile=sizes, halo=halos, grid=st.integers(1, 5))
def test_reading_begins_on_the_grid(length, tile, halo, grid):
    for span in spans(length, tile, halo, grid=grid):
        assert span.first % grid == 0
        assert max(0, span.start - halo - grid) < span.first + 1
        assert span.first <= max(0, span.start - halo)


@given(length=lengths, tile=sizes, overlap=st.integers(1, 16))
def test_ramps_are_positive_wherever_a_tile_reads(length, tile, overlap):
    for span in spans(length, tile, overlap):
        ramp = span.ramp(2)
        assert len(ramp) == 2 * (span.last - span.first)
        assert (ramp > 0).all()
        assert (ramp <= 1).all()


def test_seams_are_seen_where_they_are():
    draws = np.random.default_rng(0)
    smooth = draws.random((64, 64, 3)).cumsum(0).cumsum(1)
    stepped = smooth.copy()
    stepped[32:] += 5
    assert 0.5 < seam_energy(smooth, period=32) < 2
    assert seam_energy(stepped, period=32) > 5
    assert seam_energy(stepped, period=20) < 1.5
    assert seam_energy(smooth, period=64) is None
    assert seam_energy(np.ones((9, 9, 3)), period=3) is None

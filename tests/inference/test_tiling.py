import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.inference.tiling import spans, tiles

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
    for rows, columns in tiles(height, width, tile, halo):
        piece = picture[rows.read(), columns.read()].repeat(scale, 0).repeat(scale, 1)
        target = (rows.write(scale), columns.write(scale))
        assert (result[target] == -1).all()
        result[target] = piece[rows.keep(scale), columns.keep(scale)]
    assert (result == enlarged).all()

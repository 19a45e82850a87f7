import torch
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.degradations.motion import Motion, pixel_grid
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion.fused import places
from srgan_lightning.multiframe.fusion.tiles import looking, spans, strips, tile_side

MARGINS = st.integers(6, 18)


@given(frames=st.integers(1, 3000), margin=MARGINS)
def test_a_tile_of_all_frames_is_bounded(frames: int, margin: int):
    side = tile_side(frames, margin)
    assert side >= 16
    assert side + 2 * margin <= 96
    assert side == 16 or frames * (side + 2 * margin) ** 2 <= 2**18
    assert side >= tile_side(frames + 1, margin)


@given(length=st.integers(1, 400), frames=st.integers(1, 300), margin=MARGINS)
def test_tiles_share_out_an_axis_and_have_quick_lengths(length: int, frames: int, margin: int):
    inside = []
    for own, wide in spans(length, tile_side(frames, margin), margin):
        inside += range(own.start, own.stop)
        assert own.start - wide.start == margin
        assert wide.stop - own.stop >= margin
        whole = wide.stop - wide.start
        for prime in (2, 3, 5):
            while whole % prime == 0:
                whole //= prime
        assert whole == 1
    assert inside == list(range(length))


def turned(frames: int) -> Motion:
    angles = torch.linspace(-0.2, 0.2, frames, dtype=torch.float64)
    matrices = torch.eye(3, dtype=torch.float64).repeat(frames, 1, 1)
    matrices[:, 0, 0] = matrices[:, 1, 1] = angles.cos()
    matrices[:, 1, 0] = angles.sin()
    matrices[:, 0, 1] = -angles.sin()
    matrices[:, :2, 2] = torch.randn(frames, 2, generator=torch.Generator().manual_seed(0)).double()
    return Motion(matrices=matrices)


def test_all_that_looks_at_a_tile_is_found_and_little_else():
    frames = torch.rand(5, 1, 60, 90, generator=torch.Generator().manual_seed(1))
    motion = turned(5)
    everything = pixel_grid(60, 90).flatten(0, 1)
    for rows, high in spans(60, 24, 6):
        kept = strips(Frames.of(frames), motion, high)
        for columns, wide in spans(90, 24, 6):
            pixels, where = looking(kept, motion, high, wide, 2)
            corner = torch.tensor([wide.start, high.start]) * 2
            end = torch.tensor([wide.stop - wide.start, high.stop - high.start]) * 2 - 1
            expected = []
            for n, frame in enumerate(frames):
                there = places(motion, n, everything, scale=2) - corner
                on = ((there >= 0) & (there <= end)).all(1)
                expected.append(torch.cat([there[on], frame.flatten()[on, None]], 1))
            on = ((where >= 0) & (where <= end)).all(1)
            found = torch.cat([where[on], pixels[on]], 1)
            torch.testing.assert_close(found, torch.cat(expected))
            assert len(pixels) < 5 * (len(range(60)[rows]) + 26) * (len(range(90)[columns]) + 26)

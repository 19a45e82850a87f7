from pathlib import Path

import pytest
import torch
from PIL import Image

from srgan_lightning.config import check
from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.cubic import sample_cubic
from srgan_lightning.degradations.motion import pixel_grid
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.alignment import aligned
from srgan_lightning.evaluation.bursts import BurstPairs
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.request import answer
from srgan_lightning.inference.pictures import to_picture

BURST = {"name": "burst", "frames": 6, "shift": 1.0}


def scene(seed: int, side: int = 96) -> torch.Tensor:
    """Squares in colour, a little blurred, [1, 3, side, side]."""
    generator = torch.Generator().manual_seed(seed)
    squares = torch.rand(1, 3, side // 12, side // 12, generator=generator)
    sharp = squares.repeat_interleave(12, 2).repeat_interleave(12, 3)
    return torch.nn.functional.avg_pool2d(sharp, 3, 1, 1)


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    folder.mkdir()
    Image.fromarray(to_picture(scene(0))).save(folder / "squares.png")
    return folder


def asked(scenes: Path, **options: object) -> EvaluateConfig:
    return check(EvaluateConfig, {"degradation": BURST, "data": {"hr": str(scenes)}, **options})


def test_more_frames_tell_more_and_twice_the_same(scenes):
    config = asked(scenes, model=["bicubic", "fuse:map", "fuse:shift-and-add"], frames=[1, 6])
    table, again = answer(config), answer(config)
    names = ["map of 1", "map of 6", "shift-and-add of 1", "shift-and-add of 6"]
    assert table.methods == ["bicubic", *names]
    psnr = {method: table.mean(method)["psnr"] for method in table.methods}
    assert psnr == {method: again.mean(method)["psnr"] for method in again.methods}
    assert psnr["map of 6"] > max(psnr["map of 1"], psnr["bicubic"]) + 1
    assert [table.mean(method)["frames"] for method in table.methods] == [1, 1, 6, 1, 6]
    stamp = table.protocol.stamp()
    assert "16 pixels cropped" in stamp
    assert "burst(scale=4, frames=6" in stamp
    how = "translation, for map and burst_map refined on the fused picture"
    assert stamp.endswith(f"motion estimated ({how}), SR moved onto HR by one shift")
    assert table.mean("map of 6")["shift"] < 0.2


def test_frames_that_drift_in_brightness_are_evened_out(scenes):
    psnr = []
    for drift in (0.0, 0.2):
        table = answer(asked(scenes, model="fuse:map", degradation={**BURST, "drift": drift}))
        psnr.append(table.mean("map of 6")["psnr"])
    assert psnr[1] > psnr[0] - 1


def test_all_frames_are_fused_where_no_number_is_said(scenes):
    table = answer(asked(scenes, model={"ours": "fuse:shift-and-add"}))
    assert table.methods == ["ours of 6"]


def test_single_frame_methods_see_the_reference_of_the_burst(scenes):
    (pair,) = BurstPairs(scenes, degradation=Burst(frames=4), seed=3, registering=True)
    assert torch.equal(pair.lr, pair.frames[:1])
    true = Burst(frames=4)
    (unregistered,) = BurstPairs(scenes, degradation=true, seed=3, registering=False)
    assert torch.equal(unregistered.frames, pair.frames)
    assert not unregistered.motion.matrices[:, :2, 2].any()
    assert pair.motion.matrices[1:, :2, 2].abs().amin() > 0


def test_a_shift_is_found_and_undone():
    hr = scene(1)
    shift = torch.tensor([0.37, -0.81], dtype=torch.float64)
    moved = sample_cubic(hr, (pixel_grid(*hr.shape[-2:]) - shift)[None])
    back, length = aligned(moved, hr, border=8, most=4)
    assert length == pytest.approx(float(shift.norm()), abs=0.02)
    off = (back - hr)[..., 8:-8, 8:-8].square().mean()
    assert off < (moved - hr)[..., 8:-8, 8:-8].square().mean() / 20


def test_what_lies_far_off_is_left_there():
    hr = scene(2)
    far = hr.roll(9, -1)
    back, length = aligned(far, hr, border=8, most=4)
    assert torch.equal(back, far)
    assert length == 0
    flat = torch.zeros_like(hr)
    assert torch.equal(aligned(hr, flat, border=8, most=4)[0], hr)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "fuse:mapp"}, "model=fuse:mapp: no such method; did you mean fuse:map"),
        ({"model": "fuse:map", "frames": [1, 7]}, "7 are asked for and a burst has 6"),
        ({"model": "fuse:map", "degradation": {"name": "bicubic"}}, "say degradation=burst"),
        ({"model": "fuse:map", "frames": 0}, "frames: "),
    ],
)
def test_mistakes_are_told(scenes, options, message):
    with pytest.raises(UserError, match=message):
        answer(asked(scenes, **options))

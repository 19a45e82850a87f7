import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate
from zoo import stir

from srgan_lightning.degradations import Burst, Motion
from srgan_lightning.degradations.sighted import observe_sighted, sighted
from srgan_lightning.errors import UserError
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import learned
from srgan_lightning.multiframe.fusion.learned import fuse_learned
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.burst_sr import BurstSR


def network(scale: int = 4) -> BurstSR:
    torch.manual_seed(0)
    net = GENERATORS.build("burst_sr", {"features": 4, "blocks": 1, "width": 8}, scale=scale)
    assert isinstance(net, BurstSR)
    stir(net)
    return net.eval()


def a_burst(frames: int, side: int = 32, seed: int = 0) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    hr = torch.rand(1, 3, side // 4, side // 4, generator=draws)
    hr = interpolate(hr, scale_factor=4, mode="bicubic").clamp(0, 1)
    return observe_sighted(Burst(frames=frames, rotation=2.0), hr, draws)


@settings(max_examples=8, deadline=None)
@given(frames=st.integers(2, 7), seed=st.integers(0, 99))
def test_the_order_of_the_frames_does_not_matter(frames, seed):
    net, burst = network(), a_burst(frames, seed=seed)
    turned = torch.cat([burst[:, :1], burst[:, 1:].flip(1)], dim=1)
    torch.testing.assert_close(net(turned), net(burst), atol=1e-5, rtol=0)
    assert not torch.allclose(net(burst[:, :1]), net(burst), atol=1e-3)


def test_a_frame_twice_weighs_twice_and_says_nothing_new():
    burst = a_burst(2)[:, 1:].repeat(1, 3, 1, 1, 1)
    burst[:, :, 3:5] = 0.25
    net = network()
    with torch.no_grad():
        net.tail.weight.zero_()
        net.tail.bias.zero_()
    off = net(burst) - net(burst[:, :1])
    assert off.abs().max() < 0.05  # the doubt alone shrinks


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_picture_is_a_burst_of_one_frame(scale):
    lr = torch.rand(2, 3, 7, 9)
    still = torch.cat([lr, torch.zeros(2, 3, 7, 9)], dim=1)[:, None]
    net = network(scale)
    assert torch.equal(net(lr), net(still))
    assert net(lr).shape == (2, 3, 7 * scale, 9 * scale)


def test_untrained_it_lies_nearer_to_hr_than_bicubic():
    torch.manual_seed(0)
    net = BurstSR(blocks=1, width=8)
    draws = torch.Generator().manual_seed(1)
    hr = interpolate(torch.rand(1, 3, 16, 16, generator=draws), scale_factor=6, mode="nearest")
    burst = observe_sighted(Burst(frames=16, blur_sigma=(0.2, 0.2)), hr, draws)
    bicubic = interpolate(burst[:, 0, :3], scale_factor=4, mode="bicubic")
    inner = (..., slice(8, -8), slice(8, -8))
    with torch.no_grad():
        made = net(burst)
    mse = [float((sr - hr)[inner].square().mean()) for sr in (made, bicubic)]
    assert mse[0] < 0.9 * mse[1]


def test_fusing_by_tiles_is_fusing_the_whole(monkeypatch):
    net, burst = network(), a_burst(3, side=160)[0]
    motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [1.3, -0.4], [-0.7, 1.9]]))
    frames = Frames.of(burst[:, :3])
    with torch.inference_mode():
        whole = net(sighted(burst[:, :3], motion, sigma=0.5)[None])[0]
    monkeypatch.setattr(learned, "_TILE", 16)
    torch.testing.assert_close(fuse_learned(frames, motion, net), whole, atol=1e-4, rtol=0)


def test_the_reference_may_stand_anywhere_and_unknown_pixels_are_filled():
    net, burst = network(), a_burst(4, side=160)[0]
    shifts = torch.tensor([[0.0, 0.0], [1.3, -0.4], [-0.7, 1.9], [0.2, 0.6]])
    frames = burst[:, :3]
    made = fuse_learned(Frames.of(frames), Motion.of_shifts(shifts), net)
    turned = fuse_learned(Frames.of(frames.flip(0)), Motion.of_shifts(shifts.flip(0)), net)
    torch.testing.assert_close(turned, made, atol=1e-5, rtol=0)
    holes = frames.clone()
    holes[2, :, 3, 4] = torch.nan
    holed = fuse_learned(Frames.of(holes), Motion.of_shifts(shifts), net)
    assert holed.isfinite().all()
    assert (holed - made)[:, 80:].abs().max() < 1e-5 < (holed - made).abs().max() < 0.5


def test_grey_stays_grey():
    net, burst = network(), a_burst(3, side=64)[0]
    shifts = Motion.of_shifts(torch.tensor([[0.0, 0.0], [1.3, -0.4], [-0.7, 1.9]]))
    grey = burst[:, :1]
    made = fuse_learned(Frames.of(grey), shifts, net)
    colour = fuse_learned(Frames.of(grey.expand(-1, 3, -1, -1)), shifts, net)
    torch.testing.assert_close(made, colour.mean(0, keepdim=True))


def test_the_place_that_pixels_look_at_and_the_blur_are_told():
    picture = torch.rand(1, 3, 6, 6)
    motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [0.5, -1.0]]))
    burst = sighted(picture.repeat(2, 1, 1, 1), motion, sigma=0.25)
    assert torch.equal(burst[:, :3], picture.repeat(2, 1, 1, 1))
    assert burst[1, 3:].flatten(1).unique(dim=1).tolist() == [[-0.5], [1.0], [0.25]]


def test_sizes_below_one_are_refused():
    with pytest.raises(UserError, match=r"generator.features: must be 1 or more \(got 0\)"):
        BurstSR(features=0)

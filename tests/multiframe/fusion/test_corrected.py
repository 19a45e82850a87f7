"""The most probable picture of a burst, corrected by a network."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate
from zoo import stir

from srgan_lightning.degradations import Burst, Motion
from srgan_lightning.degradations.sighted import sighted
from srgan_lightning.errors import UserError
from srgan_lightning.export.graph import check_exportable
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import fuse, learned
from srgan_lightning.multiframe.fusion.corrected import BurstMAP
from srgan_lightning.multiframe.fusion.learned import fuse_learned
from srgan_lightning.networks import GENERATORS

INNER = (..., slice(12, -12), slice(12, -12))


def a_burst(frames: int, side: int = 96) -> tuple[torch.Tensor, torch.Tensor, Motion]:
    draws = torch.Generator().manual_seed(0)
    hr = torch.rand(1, 3, side // 8, side // 8, generator=draws)
    hr = interpolate(hr, size=(side, side), mode="bicubic").clamp(0, 1)
    burst, (motion,) = Burst(frames=frames, blur_sigma=(0.3, 0.3)).observe(hr, draws)
    return hr, burst[0], motion


def network() -> BurstMAP:
    torch.manual_seed(0)
    net = GENERATORS.build("burst_map", {"blocks": 1, "width": 8}, scale=4)
    assert isinstance(net, BurstMAP)
    return net.eval()


def test_untrained_it_is_the_most_probable_picture():
    _, frames, motion = a_burst(6)
    net = network()
    with torch.inference_mode():
        made = net(sighted(frames, motion, sigma=0.3)[None])[0]
        whole = fuse(Frames.of(frames), motion, method="map", sigma=0.3).picture
    off = (made - whole)[INNER].abs()
    assert off.mean() < 2e-3  # both go to the same picture; how far away the border is differs
    assert off.max() < 0.03


def test_it_learns_and_nothing_goes_back_through_the_equations():
    _, frames, motion = a_burst(3)
    net = network().train()
    stir(net)
    burst = sighted(frames, motion, sigma=0.3)[None].requires_grad_()
    net(burst).square().mean().backward()
    assert burst.grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in net.parameters())


def test_the_blur_that_it_is_told_is_undone():
    hr, frames, motion = a_burst(16)
    net, errors = network(), []
    for sigma in (0.0, 0.3, 0.8):
        with torch.inference_mode():
            made = fuse_learned(Frames.of(frames), motion, net, sigma=sigma)
        errors.append(float((made - hr[0])[INNER].square().mean()))
    assert errors[1] < min(errors[0], errors[2])


def test_fusing_by_tiles_is_nearly_fusing_the_whole(monkeypatch):
    _, frames, motion = a_burst(5, side=256)
    net = network()
    stir(net)
    with torch.inference_mode():
        whole = net(sighted(frames, motion, sigma=0.3)[None])[0]
    monkeypatch.setattr(learned, "_TILE", 24)
    off = (fuse_learned(Frames.of(frames), motion, net, sigma=0.3) - whole).abs()
    assert off.mean() < 2e-3
    assert off.max() < 0.06


@pytest.mark.parametrize(("height", "width", "scale"), [(5, 7, 3), (4, 9, 2), (1, 1, 4)])
def test_any_size_and_scale(height, width, scale):
    net = BurstMAP(scale=scale, blocks=1, width=8)
    assert net(torch.rand(1, 3, height, width)).shape == (1, 3, scale * height, scale * width)
    burst = torch.rand(2, 4, 6, height, width)
    assert net(burst).isfinite().all()


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match=r"generator.width: must be 1 or more \(got 0\)"):
        BurstMAP(width=0)


def test_onnx_cannot_hold_it():
    with pytest.raises(UserError, match="BurstMAP is no network of layers"):
        check_exportable(network())


def test_its_memory_can_be_foreseen():
    upscaler = TorchUpscaler(network(), precision="32-true")
    assert upscaler.enlarge(np.zeros((6, 5, 3), np.uint8)).shape == (24, 20, 3)

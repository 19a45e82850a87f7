import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.inference.tiling import seam_energy
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS, Generator
from srgan_lightning.networks.generators.rrdbnet import RRDBNet
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator
from srgan_lightning.samples import sample_folder


def network(**options) -> SRResNet:
    """A tiny SRResNet whose every layer does something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SRResNet(blocks=1, width=8, **options)
        for parameter in net.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return net.eval()


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


NETWORKS = [
    network(outer_kernel=3),
    network(image_skip="bicubic", norm="none", upsampler="pixelshuffle_direct"),
    network(upsampler="nearest", outer_kernel=3),
]


@settings(max_examples=25, deadline=None)
@given(
    net=st.sampled_from(NETWORKS),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(1, 24),
)
def test_tiles_give_what_the_whole_picture_gives(net, height, width, tile):
    lr = to_tensor(picture(height, width))
    with torch.inference_mode():
        whole = net(lr)
    tiled = TorchUpscaler(net, device="cpu", precision="32-true", tile=tile)(lr)
    assert torch.allclose(tiled, whole, rtol=0, atol=1e-5)


def test_a_narrower_halo_would_not_do():
    net, lr = NETWORKS[0], to_tensor(picture(40, 40))
    upscaler = TorchUpscaler(net, device="cpu", precision="32-true", tile=10)
    upscaler._by_rows = False
    assert torch.allclose(upscaler(lr), net(lr), rtol=0, atol=1e-5)
    upscaler.halo //= 3
    assert not torch.allclose(upscaler(lr), net(lr), rtol=0, atol=1e-4)


def test_enlarged_is_the_clamped_and_rounded_network():
    net = NETWORKS[1]
    lr = picture(11, 23)
    enlarged = TorchUpscaler(net, device="cpu", precision="32-true").enlarge(lr)
    assert enlarged.dtype == np.uint8
    assert enlarged.shape == (44, 92, 3)
    assert (enlarged == to_picture(net(to_tensor(lr)))).all()


@pytest.mark.parametrize("name", ["vdsr", "srcnn", "fsrcnn", "lanczos"])
def test_what_does_not_go_by_rows_goes_by_tiles_with_a_halo(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = GENERATORS.build(name, {}, scale=4).eval()
    lr = to_tensor(picture(33, 21))
    upscaler = TorchUpscaler(net, device="cpu", precision="32-true", tile=9)
    assert not upscaler._by_rows
    with torch.inference_mode():
        whole = net(lr)
        # An untrained network's values may lie far beyond [0, 1], and so may their rounding.
        rounding = 1e-5 * max(1.0, float(whole.abs().max()))
        assert torch.allclose(upscaler(lr), whole, rtol=0, atol=rounding)


@pytest.mark.parametrize("size", [(1, 1), (5, 4), (17, 12)])
@pytest.mark.parametrize("by_rows", [True, False])
def test_folded_pixels_keep_their_grid(size, by_rows):
    net = RRDBNet(scale=2, blocks=1, width=8, growth=4, unshuffle=2).eval()
    upscaler = TorchUpscaler(net, device="cpu", precision="32-true", tile=3)
    upscaler._by_rows = upscaler._by_rows and by_rows
    assert upscaler._by_rows == by_rows
    lr = to_tensor(picture(*size))
    with torch.inference_mode():
        assert torch.allclose(upscaler(lr), net(lr), rtol=0, atol=1e-5)


class Everywhere(Generator):
    """Adds to the nearest enlargement what the whole picture is like."""

    scale = 2
    halo = None

    def forward(self, lr):
        return lr.repeat_interleave(2, -1).repeat_interleave(2, -2) + lr.mean((2, 3), True)


def test_tiles_of_a_network_without_a_halo_are_blended_and_this_is_said():
    lr = picture(50, 70)
    whole = TorchUpscaler(Everywhere(), precision="32-true", tile=None).enlarge(lr / np.float32(1))
    upscaler = TorchUpscaler(Everywhere(), precision="32-true", tile=24)
    with pytest.warns(UserWarning, match="Everywhere: each SR pixel depends on the whole picture"):
        blended = upscaler.enlarge(lr / np.float32(1))
    assert blended.shape == whole.shape
    cells = TorchUpscaler(Everywhere(), precision="32-true", tile=24, tiling="cells").enlarge(
        lr / np.float32(1)
    )
    steps = [abs(np.diff(sr - whole, axis=0)).max() for sr in (blended, cells)]
    assert steps[0] < steps[1] / 4
    assert upscaler.describe(8)["Tile"] == "24, blended over 32"


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(1, 24))
def test_blending_what_agrees_changes_nothing(height, width, tile):
    class Local(Everywhere):
        def forward(self, lr):
            return lr.repeat_interleave(2, -1).repeat_interleave(2, -2)

    lr = picture(height, width)
    upscaler = TorchUpscaler(Local(), precision="32-true", tile=tile)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (upscaler.enlarge(lr) == lr.repeat(2, 0).repeat(2, 1)).all()


def test_cells_are_put_side_by_side():
    net, lr = NETWORKS[0], picture(30, 40)
    upscaler = TorchUpscaler(net, device="cpu", precision="32-true", tile=16, tiling="cells")
    enlarged = upscaler.enlarge(lr)
    for top in (0, 16):
        for left in (0, 16, 32):
            cell = lr[top : top + 16, left : left + 16]
            expected = to_picture(net(to_tensor(cell)))
            place = enlarged[top * 4 : top * 4 + 64, left * 4 : left * 4 + 64]
            assert (place == expected).all()
    assert TorchUpscaler(net, tiling="cells").describe(8)["Tile"] == "cells of 96, no halo"


def test_cells_leave_seams_and_tiles_do_not():
    photograph = read_rgb(sample_folder("heldout") / "perched-osprey.jpg")[:600:4, :800:4]
    energies = {
        tiling: seam_energy(
            TorchUpscaler.load("lanczos", tile=48, tiling=tiling).enlarge(photograph), period=192
        )
        for tiling in ("exact", "cells")
    }
    assert 0.8 < energies["exact"] < 1.2
    assert energies["cells"] > 2 * energies["exact"]


def test_an_ensemble_does_not_care_which_way_up_a_picture_is():
    lr = picture(9, 14)
    upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true", ensemble=True)
    turned = np.ascontiguousarray(np.rot90(lr))
    values = upscaler.enlarge(lr / np.float32(255)), upscaler.enlarge(turned / np.float32(255))
    assert np.allclose(np.rot90(values[0]), values[1], atol=1e-5)
    plain = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true")
    ways = []
    for turns in range(4):
        for mirror in (False, True):
            way = np.rot90(lr[:, ::-1] if mirror else lr, turns) / np.float32(255)
            sr = np.rot90(plain.enlarge(np.ascontiguousarray(way)), -turns)
            ways.append(sr[:, ::-1] if mirror else sr)
    assert np.allclose(np.mean(ways, 0), values[0], atol=1e-5)
    assert "8 turned and mirrored" in upscaler.describe(8)["Ensemble"]


def test_tiles_get_smaller_when_memory_is_out(monkeypatch):
    upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true")
    lr = picture(40, 30)
    expected = upscaler.enlarge(lr)
    for by_rows in (True, False):
        upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true")
        upscaler._by_rows = by_rows
        network = upscaler._network("32-true")
        forward = network.forward

        def limited(image, forward=forward):
            if image.shape[2] * image.shape[3] > 900:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(image)

        monkeypatch.setattr(upscaler, "_bytes_per_pixel", 1.0, raising=False)
        monkeypatch.setattr(network, "forward", limited)
        with pytest.warns(UserWarning, match="out of memory; going on with tiles of 20 pixels"):
            enlarged = upscaler.enlarge(lr)
        assert abs(enlarged.astype(int) - expected).max() <= 1


def test_memory_for_not_even_a_pixel_is_said_in_one_line(monkeypatch):
    upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true", tile=1)

    def fail(image):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(upscaler._network("32-true"), "forward", fail)
    with pytest.raises(UserError, match="cpu: not even a tile of one pixel"):
        upscaler.enlarge(picture(2, 2))


def test_every_tile_is_told():
    told: list[int] = []
    upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true", tile=8)
    upscaler.enlarge(picture(20, 9), on_tile=told.append)
    assert len(told) > 2
    assert sum(told) == 20 * 9 * 16
    told.clear()
    upscaler._by_rows = False
    upscaler.enlarge(picture(20, 9), on_tile=told.append)
    assert len(told) == 6
    assert sum(told) == 20 * 9 * 16


def test_batches_of_tensors_are_taken():
    lr = torch.rand(2, 3, 6, 5)
    sr = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true")(lr)
    assert torch.allclose(sr, NETWORKS[0](lr), atol=1e-6)
    assert sr.dtype == torch.float32


def test_bf16_is_near_float32():
    lr = to_tensor(picture(16, 16))
    exact = TorchUpscaler(NETWORKS[1], device="cpu", precision="32-true")(lr)
    quick = TorchUpscaler(NETWORKS[1], device="cpu", precision="bf16-mixed")(lr)
    assert quick.dtype == torch.float32
    assert not torch.equal(quick, exact)
    assert 10 * torch.log10(1 / (quick - exact).square().mean()) > 40


def test_the_given_generator_stays_as_it_was():
    net = network().train()
    upscaler = TorchUpscaler(net, device="cpu", precision="bf16-mixed")
    assert net.training
    assert all(p.requires_grad and p.is_contiguous() for p in net.parameters())
    before = upscaler(torch.full((1, 3, 4, 4), 0.5))
    torch.nn.init.zeros_(next(net.parameters()))
    assert torch.equal(upscaler(torch.full((1, 3, 4, 4), 0.5)), before)


def test_loading_is_the_same_as_giving(tmp_path):
    net = network(outer_kernel=3)
    arguments = {"blocks": 1, "width": 8, "outer_kernel": 3}
    path = tmp_path / "g.safetensors"
    save_generator(path, net.state_dict(), name="srresnet", arguments=arguments, scale=4, facts={})
    lr = picture(9, 9)
    loaded = TorchUpscaler.load(str(path), device="cpu", precision="32-true")
    given_ = TorchUpscaler(net, device="cpu", precision="32-true")
    assert (loaded.enlarge(lr) == given_.enlarge(lr)).all()


def test_mistakes_are_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="tile: 0 pixels are too few"):
        TorchUpscaler(NETWORKS[0], tile=0)
    with pytest.raises(UserError, match="device: 'gpu' is none"):
        TorchUpscaler(NETWORKS[0], device="gpu")
    with pytest.raises(UserError, match="no such file"):
        TorchUpscaler.load(tmp_path / "absent.safetensors")

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.errors import UserError
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet
from srgan_lightning.networks.weights import save_generator


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


def test_every_tile_is_told():
    told: list[int] = []
    upscaler = TorchUpscaler(NETWORKS[0], device="cpu", precision="32-true", tile=8)
    upscaler.enlarge(picture(20, 9), on_tile=told.append)
    assert len(told) == 3
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

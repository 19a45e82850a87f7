"""Networks, losses, metrics and pictures: on a GPU as on the CPU."""

import numpy as np
import pytest
import torch

from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.losses.content import ContentLoss
from srgan_lightning.metrics.functional import psnr, sharpness, ssim
from srgan_lightning.networks.discriminators.srgan import SRGANDiscriminator
from srgan_lightning.networks.features import VGGFeatures
from srgan_lightning.networks.generators.srresnet import SRResNet

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(autouse=True)
def _exact_float32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def on_cuda(module, *inputs):
    return module.to("cuda")(*(x.to("cuda") for x in inputs)).cpu()


@torch.no_grad()
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: SRResNet(blocks=2, width=16), (2, 3, 20, 24)),
        (lambda: SRResNet(blocks=2, norm="none", image_skip="bicubic"), (2, 3, 20, 24)),
        (lambda: SRGANDiscriminator(crop_size=32, width=8, hidden=16), (2, 3, 32, 32)),
    ],
)
def test_networks(build, shape):
    network, image = build().eval(), images(*shape)
    expected = network(image)
    torch.testing.assert_close(on_cuda(network, image), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_content_loss():
    features = VGGFeatures(layers=("relu3_4",), weights="random")
    loss = ContentLoss(features=features, layers={"relu3_4": 1.0})
    sr, hr = images(4, 3, 32, 32).chunk(2)
    expected = loss(sr, hr)
    torch.testing.assert_close(on_cuda(loss, sr, hr), expected, rtol=1e-3, atol=0)


@pytest.mark.parametrize("figure", [psnr, ssim, sharpness])
def test_metrics(figure):
    sr, hr = images(4, 3, 48, 40).chunk(2)
    told = figure(sr.to("cuda"), hr.to("cuda")).cpu()
    torch.testing.assert_close(told, figure(sr, hr), rtol=1e-9, atol=0)


def test_pictures():
    generator = SRResNet(blocks=2, width=16, norm="none", image_skip="bicubic").eval()
    picture = np.random.default_rng(0).integers(256, size=(40, 50, 3), dtype=np.uint8)
    on_cpu, on_gpu = (
        TorchUpscaler(generator, device=device, precision="32-true", tile=32).enlarge(picture)
        for device in ("cpu", "cuda")
    )
    assert np.abs(on_gpu.astype(int) - on_cpu.astype(int)).max() <= 1

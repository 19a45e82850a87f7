"""SRResNet against the paper, against a transcription of its figure, and under autocast."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.networks import GENERATORS
from srgan_lightning.networks.generators.srresnet import SRResNet

VARIANTS = [
    {"upsampler": upsampler, "image_skip": skip, "norm": norm, "activation": activation}
    for (upsampler, skip), (norm, activation) in itertools.product(
        itertools.product(["pixelshuffle", "pixelshuffle_direct", "nearest"], ["none", "bicubic"]),
        [("batch", "prelu"), ("none", "leaky_relu")],
    )
]


def small(**arguments) -> SRResNet:
    return SRResNet(**{"blocks": 1, "width": 8, **arguments})


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def fig_4(lr: Tensor, w: dict[str, Tensor], blocks: int) -> Tensor:
    """The figure, written down a second time with nothing but functions."""

    def norm(x: Tensor, at: str) -> Tensor:
        mean, var = w[f"{at}.running_mean"], w[f"{at}.running_var"]
        x = (x - mean[:, None, None]) / (var[:, None, None] + 1e-5).sqrt()
        return x * w[f"{at}.weight"][:, None, None] + w[f"{at}.bias"][:, None, None]

    def prelu(x: Tensor, at: str) -> Tensor:
        return torch.where(x > 0, x, x * w[f"{at}.weight"])

    x = first = prelu(F.conv2d(lr, w["head.0.weight"], w["head.0.bias"], padding=4), "head.1")
    for b in range(blocks):
        branch = f"body.{b}.branch"
        y = norm(F.conv2d(x, w[f"{branch}.0.weight"], padding=1), f"{branch}.1")
        y = F.conv2d(prelu(y, f"{branch}.2"), w[f"{branch}.3.weight"], padding=1)
        x = x + norm(y, f"{branch}.4")
    x = norm(F.conv2d(x, w[f"body.{blocks}.weight"], padding=1), f"body.{blocks + 1}") + first
    for i in range(2):
        x = F.conv2d(x, w[f"upsample.{i}.0.weight"], w[f"upsample.{i}.0.bias"], padding=1)
        b, c, height, width = x.shape
        x = x.view(b, c // 4, 2, 2, height, width).permute(0, 1, 4, 2, 5, 3)
        x = prelu(x.reshape(b, c // 4, 2 * height, 2 * width), f"upsample.{i}.2")
    return F.conv2d(x, w["tail.0.weight"], w["tail.0.bias"], padding=4)


def test_equals_a_transcription_of_the_figure() -> None:
    torch.manual_seed(0)
    net = SRResNet(blocks=2, width=8).double()
    lr = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    for _ in range(3):
        net(lr)  # moves BatchNorm's statistics away from 0 and 1
    net.eval()
    with torch.no_grad():
        torch.testing.assert_close(net(lr), fig_4(lr, dict(net.state_dict()), blocks=2))


def test_parameter_count_of_the_paper() -> None:
    head = 3 * 64 * 9 * 9 + 64 + 1  # k9n64s1 and the slope of a PReLU
    block = 2 * 64 * 64 * 3 * 3 + 2 * 2 * 64 + 1  # two k3n64s1, two BatchNorms, one slope
    trunk_end = 64 * 64 * 3 * 3 + 2 * 64
    upsampling = 2 * (64 * 256 * 3 * 3 + 256 + 1)  # two k3n256s1 with a slope each
    last = 64 * 3 * 9 * 9 + 3
    assert count(SRResNet()) == head + 16 * block + trunk_end + upsampling + last == 1_547_350
    # Reimplementations that keep the 33 biases in front of BatchNorm count 33 · 64 more.
    assert 1_547_350 + 33 * 64 == 1_549_462


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_enlarges_and_every_parameter_learns(variant) -> None:
    torch.manual_seed(0)
    net = small(**variant)
    for parameter in net.tail.parameters():
        nn.init.normal_(parameter, std=0.1)  # a zero layer lets no gradient through at first
    sr = net(torch.rand(2, 3, 6, 5))
    assert sr.shape == (2, 3, 24, 20)
    sr.square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    scale=st.sampled_from([1, 2, 3, 4, 6, 8]),
    variant=st.sampled_from(VARIANTS),
)
def test_sides_are_multiplied_by_the_scale(height, width, scale, variant) -> None:
    net = small(scale=scale, width=4, **variant).eval()
    with torch.no_grad():
        assert net(torch.rand(1, 3, height, width)).shape == ((1, 3, scale * height, scale * width))


def test_halo_of_the_paper_is_40() -> None:
    # 4 (k9) + 32 (16 blocks) + 1 (k3) in LR, then 4 HR pixels and two k3: 1 + ⌈(1 + ⌈4/2⌉)/2⌉ = 3
    assert SRResNet().halo == 4 + 32 + 1 + 3 == 40


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("outer_kernel", [1, 3, 9])
@pytest.mark.parametrize("upsampler", ["pixelshuffle", "pixelshuffle_direct", "nearest"])
@pytest.mark.parametrize("image_skip", ["none", "bicubic"])
def test_halo_is_the_receptive_radius(scale, outer_kernel, upsampler, image_skip) -> None:
    net = small(
        scale=scale,
        width=2,
        outer_kernel=outer_kernel,
        upsampler=upsampler,
        image_skip=image_skip,
        activation="leaky_relu",
    )
    net = net.double().eval()
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.1)  # all positive: no path cancels another
    centre, side = net.halo + 2, 2 * net.halo + 5
    lr = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    block = net(lr)[
        ..., centre * scale : (centre + 1) * scale, centre * scale : (centre + 1) * scale
    ]
    (gradient,) = torch.autograd.grad(block.sum(), lr)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    columns = gradient.abs().sum((0, 1, 2)).nonzero().flatten()
    for reached in (rows, columns):
        assert reached[0] == centre - net.halo
        assert reached[-1] == centre + net.halo


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "pixelshuffle_direct", "nearest"])
def test_a_tile_with_halo_equals_the_whole(upsampler) -> None:
    torch.manual_seed(0)
    net = small(blocks=2, upsampler=upsampler, image_skip="bicubic").eval()
    nn.init.normal_(net.tail[0].weight, std=0.1)
    lr = torch.rand(1, 3, 40, 30)
    top, bottom = 17, 22
    start = top - net.halo
    with torch.no_grad():
        whole = net(lr)[..., 4 * top : 4 * bottom, :]
        tile = net(lr[..., start : bottom + net.halo, :])
    torch.testing.assert_close(
        tile[..., 4 * net.halo : 4 * (net.halo + 5), :], whole, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "pixelshuffle_direct", "nearest"])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_image_skip_starts_exactly_as_bicubic(upsampler, norm) -> None:
    lr = torch.rand(2, 3, 9, 7)
    bicubic = F.interpolate(lr, scale_factor=4, mode="bicubic", align_corners=False)
    net = small(image_skip="bicubic", upsampler=upsampler, norm=norm)
    assert torch.equal(net(lr), bicubic)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net(lr), bicubic)


def test_without_norm_the_trunk_starts_in_bounds() -> None:
    torch.manual_seed(0)
    net = SRResNet(blocks=32, norm="none")
    with torch.no_grad():
        features = net.head(torch.rand(2, 3, 24, 24))
        assert features.std() / 3 < net.body[:-1](features).std() < 3 * features.std()


def test_bf16_autocast_with_channels_last_stays_near_float32() -> None:
    torch.manual_seed(0)
    net = SRResNet(blocks=4, norm="none", image_skip="bicubic", outer_kernel=3)
    nn.init.normal_(net.tail[0].weight, std=1e-3)
    net = net.to(memory_format=torch.channels_last)
    lr = torch.rand(2, 3, 16, 16).to(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = net(lr)
        with torch.autocast("cpu", torch.bfloat16):
            sr = net(lr)
    assert sr.dtype == torch.float32
    assert 0 < (sr - expected).square().mean().sqrt() < 2e-3  # 54 dB at the very least


@pytest.mark.parametrize("image_skip", ["none", "bicubic"])
def test_exports_with_free_sizes(image_skip) -> None:
    net = small(image_skip=image_skip).eval()
    nn.init.normal_(net.tail[0].weight, std=0.1)
    free = {0: Dim("batch"), 2: Dim("height"), 3: Dim("width")}
    exported = torch.export.export(net, (torch.rand(2, 3, 8, 9),), dynamic_shapes=(free,)).module()
    lr = torch.rand(3, 3, 5, 13)
    with torch.no_grad():
        torch.testing.assert_close(exported(lr), net(lr))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("image_skip", ["none", "bicubic"])
def test_a_net_of_half_precision_answers_in_it(dtype, image_skip) -> None:
    sr = small(norm="none", image_skip=image_skip).to(dtype)(torch.rand(1, 3, 5, 5).to(dtype))
    assert sr.dtype == dtype
    assert sr.isfinite().all()


def test_passes_bicubic_on_one_batch() -> None:
    torch.manual_seed(0)
    ramp = torch.linspace(0, 40, 48)
    hr = (0.5 + 0.5 * torch.sin(ramp[:, None] + 0.5 * ramp))[None, None].expand(1, 3, 48, 48)
    lr = F.interpolate(hr, scale_factor=0.25, mode="bicubic")
    net = small(
        blocks=2, width=16, norm="none", image_skip="bicubic", upsampler="pixelshuffle_direct"
    )
    start = F.mse_loss(net(lr), hr).item()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(60):
        optimizer.zero_grad()
        F.mse_loss(net(lr), hr).backward()
        optimizer.step()
    assert F.mse_loss(net(lr), hr).item() < start / 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outer_kernel": 4}, r"generator.outer_kernel: must be odd \(got 4\)"),
        ({"blocks": 0}, r"generator.blocks: must be 1 or more \(got 0\)"),
        ({"upsampler": "transposed"}, "generator.upsampler: .*'pixelshuffle'.*got 'transposed'"),
        ({"widht": 3}, "generator.widht: no such option; did you mean width"),
    ],
)
def test_a_wrong_option_is_the_users_error(arguments, message) -> None:
    with pytest.raises(UserError, match=message):
        GENERATORS.build("srresnet", arguments, scale=4)

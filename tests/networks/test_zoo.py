"""The common suite: every network that a config can name keeps the same promises.

A new network needs a row in `NETWORKS` (tests/zoo.py) and one in `PAPERS`.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F
from zoo import NETWORKS, averaging, stir

import srgan_lightning.classical  # noqa: F401 - registers the methods without a network
from srgan_lightning.metrics.colour import brightness_shift, colour_shift
from srgan_lightning.networks import GENERATORS, load_generator, save_generator
from srgan_lightning.networks.enlarge import enlarge

WITHOUT_WEIGHTS = {"nearest", "bilinear", "bicubic", "lanczos", "total_variation"}
FITTED = {"sparse_coding"}  # its dictionaries are no parameters that a gradient moves
BURSTS = {"burst_sr", "burst_map"}  # see test_burst_sr.py and test_corrected.py

# The paper-size network, how many parameters it has, and who says so.
PAPERS = [
    # Xintao Wang's Real-ESRGAN: realesr-general-x4v3.pth holds so many numbers.
    ("compact", {"blocks": 32}, 1_213_296),
    # BasicSR's EDSR_Mx4: the baseline.
    ("edsr", {}, 1_517_571),
    # Lim et al. 2017, table 1: "43M".
    ("edsr", {"blocks": 32, "width": 256, "residual_scale": 0.1}, 43_089_923),
    # On Y as in the paper 5²·64 + 3²·64·32 + 3²·32·4² weights and 112 biases, "25K" in later
    # papers' tables; on RGB the first layer has three times, the last layer three times as many.
    ("espcn", {}, 3 * 1_600 + 64 + 18_432 + 32 + 3 * (4_608 + 16)),
    # Dong et al. 2016, table 1: 12,464 weights on Y, of which 5²·56 in the first layer and 9²·56
    # in the last; and biases and slopes: 56, 12, 4·12, 56 of each, 3 biases.
    ("fsrcnn", {}, 12_464 + 2 * (1_400 + 4_536) + 2 * 172 + 3),
    # Keras counts 2,043,779, of which 4,224 are BatchNorm's averages, buffers here.
    ("keras_srgan", {}, 2_043_779 - 4_224),
    # BasicSR's MSRResNet_x4.
    ("msrresnet", {}, 1_517_571),
    # Zhang et al. 2018 via the field's comparisons: 22.27M at x4.
    ("rdn", {}, 22_271_107),
    # Wang et al. 2018 via the field's comparisons: 16.70M.
    ("rrdbnet", {}, 16_697_987),
    # The authors' code while it trains, before its chains of convolutions are joined.
    ("span", {}, 1_840_488),
    # Dong et al. 2014: 8,032 weights on Y, 9²·64 in the first layer and 5²·32 in the last.
    ("srcnn", {}, 8_032 + 2 * (5_184 + 800) + 64 + 32 + 3),
    # Dong et al. 2016, section 4.3.3: 57,184 weights on Y.
    ("srcnn", {"middle_kernel": 5}, 57_184 + 2 * (5_184 + 800) + 64 + 32 + 3),
    # Ledig et al. 2017, fig. 4; test_srresnet.py counts layer by layer.
    ("srresnet", {}, 1_547_350),
    # Kim et al. 2016: 664,704 weights on Y, "665K" in later tables; RGB adds to both ends.
    ("vdsr", {}, 664_704 + 2 * 2 * 576 + 19 * 64 + 3),
]

every_network = pytest.mark.parametrize("row", NETWORKS.values(), ids=list(NETWORKS))
tiled_networks = pytest.mark.parametrize(
    "row",
    [row for row in NETWORKS.values() if row.build().halo is not None],
    ids=[name for name, row in NETWORKS.items() if row.build().halo is not None],
)


def psnr(sr: Tensor, hr: Tensor) -> float:
    return -10 * math.log10(F.mse_loss(sr, hr).item())


def test_every_registered_generator_is_tested() -> None:
    ours = {name for name in GENERATORS if GENERATORS.get(name).__module__.startswith("srgan_")}
    tested = {row.name for row in NETWORKS.values()}
    assert ours - tested - WITHOUT_WEIGHTS - FITTED - BURSTS == set()
    assert {name for name, _, _ in PAPERS} == tested
    for name in WITHOUT_WEIGHTS & ours:
        assert not list(GENERATORS.build(name, {}, scale=4).parameters())


@pytest.mark.parametrize(("name", "arguments", "count"), PAPERS, ids=str)
def test_parameter_count_of_the_paper(name, arguments, count) -> None:
    net = GENERATORS.build(name, arguments, scale=4)
    assert sum(parameter.numel() for parameter in net.parameters()) == count


@every_network
@settings(max_examples=10, deadline=None)
@given(data=st.data(), batch=st.integers(1, 2), height=st.integers(1, 9), width=st.integers(1, 9))
def test_sides_are_multiplied_by_the_scale(row, data, batch, height, width) -> None:
    scale = data.draw(st.sampled_from(row.scales))
    net = row.build(scale).eval()
    assert net.scale == scale
    with torch.no_grad():
        sr = net(torch.rand(batch, 3, height, width))
    assert sr.shape == (batch, 3, scale * height, scale * width)
    assert sr.isfinite().all()


@tiled_networks
def test_nothing_beyond_the_halo_matters_and_its_rim_does(row) -> None:
    for scale in (scale for scale in row.scales if scale <= 4):
        net = row.build(scale).double().eval()
        stir(net)
        averaging(net)
        centre, side = net.halo + 1, 2 * net.halo + 3
        block = slice(centre * scale, (centre + 1) * scale)
        lr = torch.rand(1, 3, side, side, dtype=torch.float64) / 2 + 0.5
        beyond = torch.rand_like(lr)
        beyond[..., 1:-1, 1:-1] = lr[..., 1:-1, 1:-1]
        lr.requires_grad_()
        sr = net(lr)[..., block, block]
        with torch.no_grad():
            torch.testing.assert_close(net(beyond)[..., block, block], sr, rtol=0, atol=1e-12)
        (gradient,) = torch.autograd.grad(sr.sum(), lr)
        reached = gradient[0].abs().sum(0).nonzero()
        # Which pixel of a folded square is at the centre decides over less than a square.
        assert net.halo - net.grid < (reached - centre).abs().max() <= net.halo, scale


@every_network
def test_weights_come_back_from_the_file(row, tmp_path) -> None:
    net = row.build()
    stir(net)
    net(torch.rand(2, 3, 8, 8))  # moves BatchNorm's averages
    save_generator(
        tmp_path / "generator.safetensors",
        net.state_dict(),
        name=row.name,
        arguments=row.arguments,
        scale=4,
        facts={"degradation": "bicubic"},
    )
    loaded, facts = load_generator(tmp_path / "generator.safetensors")
    assert facts["degradation"] == "bicubic"
    assert type(loaded) is type(net)
    lr = torch.rand(1, 3, 7, 6)
    with torch.no_grad():
        assert torch.equal(loaded(lr), net.eval()(lr))


@every_network
def test_gradient_reaches_every_parameter(row) -> None:
    net = row.build()
    stir(net)
    lr, hr = torch.rand(2, 3, 10, 9), torch.rand(2, 3, 40, 36)
    F.mse_loss(net(lr), hr).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@every_network
def test_passes_bicubic_on_one_batch_and_shifts_no_colour(row) -> None:
    ramp = torch.linspace(0, 1, 48)
    rows, columns = ramp[:, None], ramp[None]
    waves = torch.stack([rows + columns / 2, columns - rows / 3, (rows**2 + columns**2).sqrt()])
    hr = 0.5 + 0.4 * torch.tanh(4 * torch.sin(30 * waves))[None]
    lr = F.avg_pool2d(hr, 4)
    bicubic = psnr(enlarge(lr, 4), hr)
    net = row.build()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    best = 0.0
    for _ in range(300):
        optimizer.zero_grad()
        sr = net(lr)
        best = max(best, psnr(sr.detach(), hr))
        shifts = abs(brightness_shift(sr.detach(), hr)), colour_shift(sr.detach(), hr)  # levels
        if psnr(sr.detach(), hr) > bicubic + 1 and max(shifts) < 4:
            return
        F.mse_loss(sr, hr).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    pytest.fail(f"{best:.2f} dB, bicubic {bicubic:.2f}; shifts {shifts}")


@every_network
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float16, 0.005), (torch.bfloat16, 0.04)], ids=str
)
def test_half_precision_is_near_float32(row, dtype, tolerance) -> None:
    net = row.build().eval()
    lr = torch.rand(1, 3, 9, 8)
    with torch.no_grad():
        expected = net(lr)
        with torch.autocast("cpu", dtype):
            cast = net(lr)
        half = net.to(dtype)(lr.to(dtype))
    assert cast.dtype == torch.float32
    assert half.dtype == dtype
    for sr in (cast, half.float()):
        error = (sr - expected).square().mean().sqrt()
        assert error < tolerance * expected.square().mean().sqrt()


@every_network
def test_exports_with_free_sizes(row) -> None:
    net = row.build().eval()
    height, width = (row.multiple * Dim(name, max=1024) for name in ("height", "width"))
    free = {0: Dim("batch"), 2: height, 3: width}
    exported = torch.export.export(net, (torch.rand(2, 3, 8, 10),), dynamic_shapes=(free,))
    lr = torch.rand(3, 3, 6, 14)
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(lr), net(lr))

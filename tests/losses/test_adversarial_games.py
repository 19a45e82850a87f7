"""The further games: values by hand, gradients by finite differences, the penalty's laws."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.losses import ADVERSARIAL_LOSSES, generator_relativistic, gradient_penalty

GAMES = sorted(ADVERSARIAL_LOSSES)
HR, SR = torch.tensor([[2.0], [0.5], [-1.0]]), torch.tensor([[-2.0], [0.0], [1.5]])


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def relativistic(hr, sr):
    mean_hr, mean_sr = sum(hr) / len(hr), sum(sr) / len(sr)
    d = -sum(log_sigmoid(x - mean_sr) for x in hr) / len(hr)
    d -= sum(log_sigmoid(-(x - mean_hr)) for x in sr) / len(sr)
    g = -sum(log_sigmoid(-(x - mean_sr)) for x in hr) / len(hr)
    g -= sum(log_sigmoid(x - mean_hr) for x in sr) / len(sr)
    return d, g


@pytest.mark.parametrize(
    ("name", "d_loss", "g_loss"),
    [
        ("lsgan", (1 + 0.25 + 4) / 6 + (4 + 0 + 2.25) / 6, (9 + 1 + 0.25) / 6),
        ("hinge", (0 + 0.5 + 2) / 3 + (0 + 1 + 2.5) / 3, 0.5 / 3),
        ("wgan_gp", -0.5 / 3 - 1.5 / 3, 0.5 / 3),
        ("relativistic", *relativistic([2.0, 0.5, -1.0], [-2.0, 0.0, 1.5])),
    ],
)
def test_values_by_hand(name, d_loss, g_loss) -> None:
    game = ADVERSARIAL_LOSSES.build(name, {})
    assert game.discriminator(HR, SR).item() == pytest.approx(d_loss, rel=1e-6)
    assert game.generator(SR, HR).item() == pytest.approx(g_loss, rel=1e-6)


@pytest.mark.parametrize("name", GAMES)
def test_maps_of_logits_are_reduced_by_the_mean(name) -> None:
    game = ADVERSARIAL_LOSSES.build(name, {})
    maps = [logits.view(-1, 1, 1, 1).expand(-1, 1, 5, 4) for logits in (HR, SR)]
    torch.testing.assert_close(game.discriminator(*maps), game.discriminator(HR, SR))
    torch.testing.assert_close(game.generator(maps[1], maps[0]), game.generator(SR, HR))
    assert [margin.shape for margin in game.margins(*maps)] == [maps[0].shape] * 2


@pytest.mark.parametrize("name", GAMES)
def test_half_precision_logits_are_computed_in_float32(name) -> None:
    game = ADVERSARIAL_LOSSES.build(name, {})
    half = [logits.to(torch.float16) for logits in (HR, SR)]  # exact in float16
    assert torch.equal(game.discriminator(*half), game.discriminator(HR, SR))
    assert torch.equal(game.generator(half[1], half[0]), game.generator(SR, HR))


@pytest.mark.parametrize("name", GAMES)
def test_each_side_wants_what_the_other_does_not(name) -> None:
    game = ADVERSARIAL_LOSSES.build(name, {})
    hr, sr = (torch.full((4, 1), 0.4, requires_grad=True) for _ in range(2))
    game.discriminator(hr, sr).backward()
    assert (hr.grad < 0).all()
    assert (sr.grad > 0).all()
    sr.grad = None
    game.generator(sr, hr.detach()).backward()
    assert (sr.grad < 0).all()


@pytest.mark.parametrize("name", GAMES)
def test_only_the_relativistic_generator_looks_at_hr(name) -> None:
    game = ADVERSARIAL_LOSSES.build(name, {})
    assert game.needs_hr_logits_for_generator == (name == "relativistic")
    if game.needs_hr_logits_for_generator:
        with pytest.raises(ValueError, match="logits_hr is needed"):
            game.generator(SR)
    else:
        assert torch.equal(game.generator(SR), game.generator(SR, HR))


def test_the_relativistic_generator_learns_by_both_terms() -> None:
    sr = SR.clone().requires_grad_()
    generator_relativistic(sr, HR).backward()
    for index in range(3):
        values = []
        for step in (1e-2, -1e-2):
            moved = [-2.0, 0.0, 1.5]
            moved[index] += step
            values.append(relativistic([2.0, 0.5, -1.0], moved)[1])
        assert sr.grad[index].item() == pytest.approx((values[0] - values[1]) / 2e-2, rel=1e-4)

    whole, sr.grad = sr.grad, None
    F.softplus(-(sr - HR.mean())).mean().backward()  # without the term of HR
    by_the_mean = -torch.sigmoid(HR - SR.mean()).mean() / 3
    torch.testing.assert_close(whole - sr.grad, by_the_mean.expand(3, 1))
    assert by_the_mean < -0.1


def critic(channels: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, channels, 3, 2), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(channels, 1, 3)
    )


def test_the_penalty_of_a_plane_is_its_slope() -> None:
    weight = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(1))
    hr, sr = torch.rand(2, 5, 3, 6, 6).unbind()

    def plane(image):
        return (image * weight).sum((1, 2, 3))[:, None]

    expected = (weight.norm() - 1) ** 2
    torch.testing.assert_close(gradient_penalty(plane, hr, sr), expected)
    flat = gradient_penalty(lambda image: 0 * plane(image), hr, sr)  # two-sided: 0 is bad, too
    assert flat == 1


def test_the_penalty_is_taken_between_hr_and_sr_image_by_image() -> None:
    seen = []

    def square(image):
        seen.append(image)
        return image.square().sum((1, 2, 3))

    hr, sr = torch.ones(64, 3, 2, 2), torch.zeros(64, 3, 2, 2)
    draws = [torch.Generator().manual_seed(3) for _ in range(2)]
    found = gradient_penalty(square, hr, sr, draws[0])
    shares = seen[0][:, 0, 0, 0]
    torch.testing.assert_close(seen[0], shares.view(-1, 1, 1, 1).expand_as(hr))
    assert 0 <= shares.min() < 0.1 < 0.9 < shares.max() <= 1
    torch.testing.assert_close(found, (2 * shares * 12**0.5 - 1).square().mean())
    assert torch.equal(found, gradient_penalty(square, hr, sr, draws[1]))


def test_the_penaltys_gradient_reaches_the_critic_and_is_right() -> None:
    net = critic().double()
    parameters = list(net.parameters())
    hr, sr = torch.rand(2, 2, 3, 11, 11).unbind()

    def penalty():
        return gradient_penalty(
            lambda image: net(image.double()), hr, sr, torch.Generator().manual_seed(0)
        )

    found = torch.autograd.grad(penalty(), parameters, allow_unused=True)
    weight, gradient = parameters[0], found[0]
    with torch.no_grad():
        direction = torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)).double()
        values = []
        for step in (1e-3, -1e-3):
            weight += step * direction
            with torch.enable_grad():
                values.append(penalty().item())
            weight -= step * direction
    slope = (values[0] - values[1]) / 2e-3
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_does_not_touch_the_penalty(dtype) -> None:
    net = critic()
    hr, sr = torch.rand(2, 2, 3, 11, 11).unbind()
    plain = gradient_penalty(net, hr, sr, torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype):
        net(hr)  # fills autocast's cache of weights
        cast = gradient_penalty(net, hr, sr, torch.Generator().manual_seed(0))
    assert cast.dtype == torch.float32
    assert torch.equal(cast, plain)


def test_the_weighted_penalty_belongs_to_one_game_alone() -> None:
    hr, sr = torch.rand(2, 2, 3, 11, 11).unbind()
    for name in GAMES:
        game = ADVERSARIAL_LOSSES.build(name, {})
        found = game.penalty(critic(), hr, sr, torch.Generator().manual_seed(0))
        assert (found is not None) == (name == "wgan_gp") == game.critic
    twice = ADVERSARIAL_LOSSES.build("wgan_gp", {"gradient_penalty": 20})
    ten = ADVERSARIAL_LOSSES.build("wgan_gp", {})
    draws = [torch.Generator().manual_seed(0) for _ in range(2)]
    torch.testing.assert_close(
        twice.penalty(critic(), hr, sr, draws[0]), 2 * ten.penalty(critic(), hr, sr, draws[1])
    )


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_penalty_without_weight_is_the_users_error(weight) -> None:
    with pytest.raises(UserError, match=r"gradient_penalty: must be above 0"):
        ADVERSARIAL_LOSSES.build("wgan_gp", {"gradient_penalty": weight})

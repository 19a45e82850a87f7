"""The adversarial loss against the paper's logarithms and at logits where they fail."""

import math

import pytest
import torch
from torch.nn import functional as F

from srgan_lightning.errors import UserError
from srgan_lightning.losses import ADVERSARIAL_LOSSES, discriminator_bce, generator_bce

HR, SR = torch.randn(2, 6, 1, generator=torch.Generator().manual_seed(0)).unbind()


@pytest.fixture
def bce():
    return ADVERSARIAL_LOSSES.build("bce", {})


def test_equals_the_papers_logarithms(bce) -> None:
    d_hr, d_sr = torch.sigmoid(HR.double()), torch.sigmoid(SR.double())
    d_loss = -(d_hr.log().mean() + (1 - d_sr).log().mean())
    assert bce.discriminator(HR, SR).item() == pytest.approx(d_loss.item(), rel=1e-5)
    assert bce.generator(SR).item() == pytest.approx(-d_sr.log().mean().item(), rel=1e-5)


def test_equals_torchs_cross_entropy(bce) -> None:
    ones, zeros = torch.ones_like(HR), torch.zeros_like(HR)
    entropy = F.binary_cross_entropy_with_logits
    torch.testing.assert_close(bce.discriminator(HR, SR), entropy(HR, ones) + entropy(SR, zeros))
    torch.testing.assert_close(bce.generator(SR), entropy(SR, ones))


def test_a_discriminator_that_knows_nothing() -> None:
    logits = torch.zeros(3, 1)
    assert discriminator_bce(logits, logits).item() == pytest.approx(2 * math.log(2))
    assert generator_bce(logits).item() == pytest.approx(math.log(2))


def test_the_generator_learns_even_when_it_is_surely_found_out() -> None:
    logits = torch.full((1, 1), -200.0, requires_grad=True)
    loss = generator_bce(logits)
    loss.backward()
    assert loss.item() == 200
    assert logits.grad.item() == -1


def test_half_precision_logits_are_computed_in_float32(bce) -> None:
    logits = torch.full((2, 1), 300.0, dtype=torch.float16)
    assert bce.discriminator(-logits, logits).item() == 600
    assert bce.generator(-logits).dtype == torch.float32


def test_the_generators_side_needs_no_hr(bce) -> None:
    assert not bce.needs_hr_logits_for_generator
    assert bce.generator(SR, HR) == bce.generator(SR)


def test_wrong_names_and_options_are_the_users_error() -> None:
    with pytest.raises(UserError, match="unknown adversarial loss 'bec': did you mean bce"):
        ADVERSARIAL_LOSSES.build("bec", {})
    with pytest.raises(UserError, match=r"adversarial loss\.real: no such option"):
        ADVERSARIAL_LOSSES.build("bce", {"real": 0.9})

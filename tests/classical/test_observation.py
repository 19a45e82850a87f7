import pytest
import torch

from srgan_lightning.classical.observation import Observation
from srgan_lightning.degradations import DEGRADATIONS
from srgan_lightning.errors import UserError

KINDS = ["bicubic", "blur_bicubic"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_is_the_degradation_without_rounding(kind, scale):
    hr = 0.4 + 0.2 * torch.rand(2, 3, 8 * scale, 6 * scale)  # far from where LR is clamped
    lr = DEGRADATIONS.build(kind, {"quantize": False}, scale=scale)(hr)
    observation = Observation.of(kind, lr, scale=scale)
    torch.testing.assert_close(observation(hr), lr, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_adjoint_is_exact(kind):
    x, y = torch.rand(3, 24, 32, dtype=torch.float64), torch.rand(3, 6, 8, dtype=torch.float64)
    observation = Observation.of(kind, y, scale=4)
    left, right = (observation(x) * y).sum(), (x * observation.adjoint(y)).sum()
    torch.testing.assert_close(left, right, rtol=1e-13, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_diagonal_form_is_the_same_map(kind):
    x, y = torch.rand(3, 24, 32, dtype=torch.float64), torch.rand(3, 6, 8, dtype=torch.float64)
    observation = Observation.of(kind, y, scale=4)
    orthogonal, diagonal, squares = observation.diagonalised()
    torch.testing.assert_close(orthogonal(diagonal(x)), observation(x))
    torch.testing.assert_close(orthogonal(orthogonal.adjoint(y)), y)
    torch.testing.assert_close(diagonal(diagonal.adjoint(y)), squares * y)


def test_a_picture_smaller_than_the_blur_is_told():
    with pytest.raises(UserError, match=r"1 pixels is too small .* take observation=bicubic"):
        Observation.of("blur_bicubic", torch.rand(3, 1, 9), scale=4)

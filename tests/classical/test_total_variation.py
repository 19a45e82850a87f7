import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan_lightning.classical import Bicubic, TotalVariation
from srgan_lightning.classical.total_variation import gradient, gradient_adjoint
from srgan_lightning.degradations import Bicubic as Degrade
from srgan_lightning.degradations import BlurBicubic, imresize
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.metrics.functional import psnr
from srgan_lightning.networks import GENERATORS

STRENGTH = 0.01


@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 6), width=st.integers(1, 6))
def test_the_gradient_s_adjoint_is_exact(height, width):
    x = torch.rand(3, height, width, dtype=torch.float64)
    p = torch.rand(2, 3, height, width, dtype=torch.float64)
    left, right = (gradient(x) * p).sum(), (x * gradient_adjoint(p)).sum()
    torch.testing.assert_close(left, right, atol=1e-13, rtol=0)


def test_the_gradient_s_norm_is_below_the_bound():
    x = torch.rand(16, 16, dtype=torch.float64)
    for _ in range(300):  # power iteration
        x = gradient_adjoint(gradient(x / x.norm()))
    assert 7.5 < x.norm() < 8


def test_the_minimum_is_an_independent_solver_s():
    """scipy's L-BFGS minimises the smoothed energy with a dense matrix made by imresize."""
    draws = np.random.default_rng(0)
    lr = draws.random((3, 4, 5))
    unit = torch.eye(80, dtype=torch.float64).reshape(80, 8, 10)
    matrix = imresize(unit, scale=0.5).reshape(80, 20).T.numpy()
    epsilon = 1e-4

    def energy(flat: np.ndarray, epsilon: float = 0.0) -> float:
        x = flat.reshape(3, 8, 10)
        residual = np.einsum("ij,cj->ci", matrix, x.reshape(3, 80)) - lr.reshape(3, 20)
        down, right = np.zeros_like(x), np.zeros_like(x)
        down[:, :-1], right[:, :, :-1] = np.diff(x, axis=1), np.diff(x, axis=2)
        length = np.sqrt((down**2 + right**2).sum(0) + epsilon**2)
        return float((residual**2).sum() / 2 + STRENGTH * length.sum())

    def smoothed(flat: np.ndarray) -> tuple[float, np.ndarray]:
        x = torch.tensor(flat, requires_grad=True)
        residual = x.reshape(3, 80) @ torch.tensor(matrix).T - torch.tensor(lr.reshape(3, 20))
        length = (gradient(x.reshape(3, 8, 10)).square().sum((0, 1)) + epsilon**2).sqrt()
        value = residual.square().sum() / 2 + STRENGTH * length.sum()
        value.backward()
        return value.item(), x.grad.numpy()

    start = np.full(240, lr.mean())
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-9}
    other = scipy.optimize.minimize(smoothed, start, jac=True, method="L-BFGS-B", options=options)
    ours = TotalVariation(scale=2, strength=STRENGTH, iterations=3000, tolerance=0)
    y = torch.tensor(lr)
    sr = ours(y[None])[0]
    assert energy(sr.numpy().ravel()) == pytest.approx(ours.objective(sr, y).item(), rel=1e-12)
    assert energy(sr.numpy().ravel()) == pytest.approx(energy(other.x), rel=1e-3)
    np.testing.assert_allclose(sr.numpy().ravel(), other.x, atol=5e-3)


@pytest.mark.parametrize("observation", ["bicubic", "blur_bicubic"])
def test_the_energy_falls_below_bicubic_s_and_stays_at_its_minimum(observation):
    lr = torch.rand(1, 3, 12, 9)
    energies = []
    for iterations in (20, 200, 2000):
        method = TotalVariation(observation=observation, iterations=iterations, tolerance=0)
        energies.append(method.objective(method(lr)[0], lr[0]).item())
    bicubic = method.objective(Bicubic()(lr)[0], lr[0]).item()
    assert energies[2] <= energies[1] < energies[0] < bicubic
    assert energies[1] < 1.02 * energies[2]


def test_the_tolerance_ends_it_early():
    lr = torch.rand(1, 3, 8, 8)
    hasty = TotalVariation(tolerance=1.0)(lr)
    assert torch.equal(hasty, TotalVariation(iterations=10, tolerance=0)(lr))


def test_a_picture_does_not_depend_on_its_batch_and_a_constant_stays():
    lr = torch.stack((torch.rand(3, 8, 6), torch.full((3, 8, 6), 0.4)))
    both = TotalVariation()(lr)
    assert torch.equal(both[:1], TotalVariation()(lr[:1]))
    torch.testing.assert_close(both[1], torch.full((3, 32, 24), 0.4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_dtypes_are_kept(dtype):
    assert TotalVariation(iterations=2)(torch.rand(1, 3, 5, 1).to(dtype)).dtype == dtype


@pytest.mark.parametrize("observation", ["bicubic", "blur_bicubic"])
def test_it_beats_bicubic(shared, observation):
    degradation = {"bicubic": Degrade(), "blur_bicubic": BlurBicubic()}[observation]
    gains = []
    for name in ("butterfly", "head"):
        hr = to_tensor(read_rgb(shared / f"data/eval/Set5/{name}.png"))
        hr = hr[..., : hr.shape[-2] // 4 * 4, : hr.shape[-1] // 4 * 4]
        lr = degradation(hr)
        method = TotalVariation(observation=observation)
        gains.append(gain(method(lr), Bicubic()(lr), hr))
    assert min(gains) > 0.3
    assert np.mean(gains) > 1.2


def gain(sr: torch.Tensor, bicubic: torch.Tensor, hr: torch.Tensor) -> float:
    ours, theirs = (psnr(image, hr, crop=4, space="y").item() for image in (sr, bicubic))
    return ours - theirs


def test_it_is_named_and_takes_pictures_whole():
    upscaler = TorchUpscaler.load("total_variation", device="cpu", precision="32-true")
    lr = torch.rand(1, 3, 9, 7)
    assert upscaler.halo is None
    assert torch.equal(upscaler(lr), TotalVariation()(lr))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations: must be 1 or more"),
        ({"strength": 0.0}, "strength: must be above 0"),
        ({"tolerance": -1.0}, "tolerance: must be 0 or more"),
        ({"observation": "box"}, "observation"),
        ({"strenght": 1.0}, "did you mean strength"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(UserError, match=rf"generator\..*{message}|{message}"):
        GENERATORS.build("total_variation", options)

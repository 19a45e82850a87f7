import pytest
import torch

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.multiframe.fusion.observation import Observation


def places(motion: Motion, size: tuple[int, int], scale: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    grid = torch.stack([x, y], dim=-1).flatten(0, 1)
    here = torch.cat([motion.back(n, grid) for n in range(len(motion))])
    return (here + 0.5) * scale - 0.5


@pytest.mark.parametrize("sigma", [0, 0.4])
@pytest.mark.parametrize("scale", [2, 4])
def test_the_adjoint_is_the_transpose_of_the_explicit_matrix(scale: int, sigma: float):
    motion = Motion.of_shifts(torch.tensor([[0.0, 0.0], [0.3, -0.7]]))
    size = (5 * scale, 6 * scale)
    observation = Observation(places(motion, (5, 6), scale), size=size, scale=scale, sigma=sigma)
    count = int(observation.inside.sum())
    assert 0 < count < len(observation.inside)
    pixels = size[0] * size[1]
    matrix = observation(torch.eye(pixels).view(pixels, *size))
    rows = observation.adjoint(torch.eye(count)).flatten(1)  # Aᵀ of each unit vector
    torch.testing.assert_close(rows, matrix, rtol=0, atol=1e-6)
    torch.testing.assert_close(matrix.sum(1), torch.ones(count), rtol=0, atol=1e-5)


def test_dot_product():
    generator = torch.Generator().manual_seed(0)
    motion = Motion.of_shifts(torch.randn(3, 2, generator=generator))
    observation = Observation(places(motion, (20, 24), 4), size=(80, 96), scale=4, sigma=0.5)
    hr = torch.randn(3, 80, 96, generator=generator)
    lr = torch.randn(int(observation.inside.sum()), 3, generator=generator)
    one = (observation(hr).double() * lr).sum()
    other = (hr.double() * observation.adjoint(lr)).sum()
    assert abs(one - other) < 1e-4 * abs(one)


@pytest.mark.parametrize("rotation", [0.0, 1.0])
def test_it_is_what_a_burst_does(rotation: float):
    generator = torch.Generator().manual_seed(1)
    hr = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 130, 162, generator=generator), 3, 1)
    hr = hr[..., :128, :160]
    burst = Burst(
        scale=4, frames=4, blur_sigma=(0.4, 0.4), read_noise=0, quantize=False, rotation=rotation
    )
    frames, (motion,) = burst.observe(hr, generator)
    observation = Observation(places(motion, (32, 40), 4), size=(128, 160), scale=4, sigma=0.4)
    seen = frames[0, :, 0].flatten()[observation.inside]
    off = (observation(hr[0])[:, 0] - seen).abs().max()
    assert off < (2e-3 if rotation else 1e-5)

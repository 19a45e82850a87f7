import subprocess
import sys

import pytest
import torch
from torch import nn

from srgan_lightning.inference.footprint import bytes_per_pixel


@pytest.mark.parametrize(
    ("net", "floats"),
    [
        (nn.Sequential(nn.Conv2d(3, 8, 1)), 3 + 8),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(inplace=True)), 3 + 8),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(inplace=False)), 3 + 8 + 8),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1), nn.Conv2d(2, 7, 1)), 3 + 8 + 2),
        (nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(2, 32, 1), nn.PixelShuffle(4)), 3 + 32 + 32),
    ],
)
def test_what_lives_at_once_is_counted(net, floats):
    assert bytes_per_pixel(lambda h, w: net(torch.zeros(1, 3, h, w))) == 4 * floats


def test_what_does_not_grow_with_the_input_is_not():
    def compute(height: int, width: int) -> tuple[torch.Tensor, ...]:
        return torch.zeros(1000, 1000), torch.zeros(height, width)

    assert bytes_per_pixel(compute) == 4


def test_views_cost_nothing():
    assert bytes_per_pixel(lambda h, w: torch.zeros(h, w).view(-1)[::2].unsqueeze(0)) == 4


def test_an_upscaler_does_not_wait_for_the_compiler():
    program = (
        "import sys, torch; from srgan_lightning.inference.load import load_upscaler; "
        "load_upscaler('photo-psnr')(torch.rand(1, 3, 24, 24)); "
        "print('torch._dynamo' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "False", shown.stderr

"""The exponential moving average of the generator."""

import copy

import torch
from torch import Tensor, nn

from srgan_lightning.networks.base import Generator


class ExponentialMovingAverage(nn.Module):
    """A second generator whose weights follow those of the first one.

    After update number t (from 0), with d_t = min(d, (1 + t) / (10 + t)),

        EMA ← d_t EMA + (1 − d_t) G.

    The warm-up of the decay keeps a short run from averaging its random start. Buffers
    (BatchNorm's statistics) are copied. `torch.optim.swa_utils.AveragedModel` does the same but
    reads a counter back from the device at every update.

    Args:
        generator: the generator to follow.
        decay: d, in [0, 1); 0 copies.
    """

    def __init__(self, generator: Generator, *, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.module: Generator = copy.deepcopy(generator).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "ExponentialMovingAverage":
        """Stay in evaluation mode, whatever Lightning asks of its modules."""
        return super().train(False)

    def forward(self, lr: Tensor) -> Tensor:
        """Enlarge LR `[B, 3, H, W]` with the averaged weights."""
        sr: Tensor = self.module(lr)
        return sr

    @torch.no_grad()
    def update(self, generator: Generator, *, step: int) -> None:
        """Take in the generator's weights after update number `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        mine: list[Tensor] = list(self.module.parameters())
        theirs: list[Tensor] = list(generator.parameters())
        torch._foreach_lerp_(mine, theirs, 1.0 - decay)
        for buffer, source in zip(self.module.buffers(), generator.buffers(), strict=True):
            buffer.copy_(source)

"""How convolutions start."""

import torch
from torch import nn


@torch.no_grad()
def start_small(module: nn.Module, *, factor: float = 0.1) -> None:
    """Start all convolutions in a module as ESRGAN does (Wang et al. 2018, section 4.1).

    Weights are drawn as He et al. 2015 do (normal, for ReLU) and multiplied by `factor`, so that
    a deep residual trunk starts near the identity; biases are zero.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight).mul_(factor)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

"""What a generator costs: parameters and multiply-adds."""

import copy

import torch
from torch.utils.flop_counter import FlopCounterMode

from srgan_lightning.networks.base import Generator

WIDTH, HEIGHT = 1280, 720  # SR of a 720p picture, as tables of the field count


def costs_of(generator: Generator) -> dict[str, float]:
    """Count a network's parameters and what it multiplies and adds for a picture of 1280x720.

    Convolutions and matrix products are counted, one multiplication with its addition as one; LR
    has 1 / scale of the sides. Nothing is computed: the count is taken on tensors without values.

    Returns:
        "parameters" and "multiply_adds"; neither for a method without parameters, the latter not
        for a network that needs values to run.

    Example:
        >>> from srgan_lightning.networks.base import GENERATORS
        >>> costs_of(GENERATORS.build("bicubic", {}))
        {}
    """
    parameters = sum(weight.numel() for weight in generator.parameters())
    if not parameters:
        return {}
    hollow = copy.deepcopy(generator).to("meta").eval()
    lr = torch.empty(1, 3, HEIGHT // generator.scale, WIDTH // generator.scale, device="meta")
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.no_grad():
            hollow(lr)
    except RuntimeError:
        return {"parameters": parameters}
    return {"parameters": parameters, "multiply_adds": counter.get_total_flops() / 2}

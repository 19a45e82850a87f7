"""Optimizers by name, with one way to skip, clip and step them on any device."""

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer


class OptimizerConfig(BaseModel):
    """One optimizer.

    Attributes:
        name: `adam`, `adamw` or `sgd`.
        betas: Adam's decay rates; the first is SGD's momentum.
        eps: Adam's epsilon.
        weight_decay: L2 penalty (decoupled for `adamw`).
        last_layer: the last layer's learning rate over that of the others; SRCNN, FSRCNN and
            ESPCN were trained with 0.1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["adam", "adamw", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    last_layer: PositiveFloat = 1.0


class OptimConfig(BaseModel):
    """How gradients become steps.

    Attributes:
        generator: the generator's optimizer.
        discriminator: the discriminator's optimizer.
        clip_norm: largest L2 norm of all gradients of one network; null does not clip.
        accumulate: micro-batches whose gradients are averaged for one update.
        ema_decay: decay of the generator's exponential moving average; 0 keeps none.
        max_nonfinite: updates in a row with a non-finite gradient after which training stops.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    generator: OptimizerConfig = OptimizerConfig()
    discriminator: OptimizerConfig = OptimizerConfig()
    clip_norm: PositiveFloat | None = None
    accumulate: PositiveInt = 1
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    max_nonfinite: PositiveInt = 20


def build_optimizer(config: OptimizerConfig, network: nn.Module) -> Optimizer:
    """Build a fused optimizer; `set_learning_rate` belongs before each of its steps.

    Fused, because only then can a step be skipped on the device (`found_inf`) and GradScaler work
    without reading a value back.
    """
    groups = _groups(config, network)
    if config.name == "sgd":
        return SGD(
            groups,
            lr=0.0,
            momentum=config.betas[0],
            weight_decay=config.weight_decay,
            fused=True,
        )
    kind = Adam if config.name == "adam" else AdamW
    return kind(
        groups,
        lr=0.0,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


def set_learning_rate(optimizer: Optimizer, config: OptimizerConfig, lr: float) -> None:
    """Set an optimizer's learning rate, and the last layer's share of it.

    Args:
        optimizer: what `build_optimizer` built.
        config: from what it was built.
        lr: the learning rate.
    """
    rates = (lr, lr * config.last_layer)
    for group, rate in zip(optimizer.param_groups, rates, strict=False):
        group["lr"] = rate


def _groups(config: OptimizerConfig, network: nn.Module) -> list[dict[str, Any]]:
    """Return all parameters, the last layer's apart where it learns at a rate of its own."""
    if config.last_layer == 1:
        return [{"params": list(network.parameters())}]
    layers = [list(module.parameters(recurse=False)) for module in network.modules()]
    *others, last = [parameters for parameters in layers if parameters]
    return [{"params": [p for parameters in others for p in parameters]}, {"params": last}]


def guard_step(optimizer: Optimizer, *, clip_norm: float | None) -> tuple[Tensor, Tensor]:
    """Clip an optimizer's gradients and make its next step a no-op if they are not finite.

    The decision stays on the device: a fused optimizer whose `found_inf` is 1 leaves parameters
    and moments as they are, so nothing is read back.

    Args:
        optimizer: a fused optimizer with (unscaled) gradients.
        clip_norm: largest L2 norm, or None.

    Returns:
        The gradients' L2 norm before clipping and whether it is not finite (0 or 1), as scalars.
    """
    gradients = [
        parameter.grad
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]
    norm = nn.utils.get_total_norm(gradients, foreach=True)
    if clip_norm is not None:
        torch._foreach_mul_(gradients, (clip_norm / (norm + 1e-6)).clamp(max=1.0))
    skipped = (~torch.isfinite(norm)).float()
    optimizer.found_inf = skipped  # type: ignore[attr-defined]
    return norm, skipped

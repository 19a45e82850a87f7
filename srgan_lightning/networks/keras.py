"""Keras's layers, where they differ from PyTorch's."""

from torch import nn

from srgan_lightning.errors import UserError

EPSILON = 1e-3  # what Keras's BatchNormalization adds to the variance


def keras_norm(channels: int, momentum: float) -> nn.BatchNorm2d:
    """Return Keras's `BatchNormalization(momentum=m)`, whose moving averages keep the share m.

    PyTorch's momentum is the share that a batch brings, 1 − m.

    Args:
        channels: of the image.
        momentum: m, in Keras's sense.

    Raises:
        UserError: for a momentum outside of [0, 1).

    Example:
        >>> keras_norm(64, 0.75)
        BatchNorm2d(64, eps=0.001, momentum=0.25, affine=True, bias=True, track_running_stats=True)
    """
    if not 0 <= momentum < 1:
        raise UserError(f"momentum: Keras's lies in [0, 1) (got {momentum})")
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=1 - momentum)


def start_as_keras(module: nn.Module) -> None:
    """Start all convolutions and dense layers in a module as Keras does: Glorot's uniform, 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

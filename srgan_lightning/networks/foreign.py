"""Weights in the field's formats: whose they are, read off names and shapes.

BasicSR, Real-ESRGAN and the programs around them save a state dict, bare or as `params`,
`params_ema` or `state_dict`, and say nothing of the network.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.dialects import modern_names
from srgan_lightning.networks.files import whole_weights

READABLE = "RRDBNet (ESRGAN, Real-ESRGAN), MSRResNet, Compact (SRVGGNet) and SPAN"
WRAPPERS = ("params_ema", "params", "state_dict")  # the first that is there is taken
PREFIXES = ("module.", "netG.")


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """Weights, and the network that they are of.

    Attributes:
        format: what the field calls it.
        name: the generator's registered name.
        arguments: its constructor's arguments besides the scale, all of them.
        scale: the factor between the sides of LR and SR.
        tensors: the state dict under the generator's own names.
    """

    format: str
    name: str
    arguments: dict[str, Any]
    scale: int
    tensors: dict[str, Tensor]


def unwrap(content: Any) -> dict[str, Tensor] | None:
    """Return the state dict in what a file held, averaged weights first; None without one."""
    if not isinstance(content, dict):
        return None
    for key in WRAPPERS:
        if isinstance(content.get(key), dict):
            content = content[key]
            break
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        return None
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in content):
            content = {key.removeprefix(prefix): value for key, value in content.items()}
    return dict(content)


def recognise(tensors: Mapping[str, Tensor]) -> Recognised | None:
    """Tell which network a state dict is of, and its options.

    Args:
        tensors: names to weights, as `unwrap` returns them.

    Returns:
        The network and the weights under its names, or None where it is none that is known.
        Whether all weights are there and fit is not looked at.

    Example:
        >>> from srgan_lightning.networks.generators import Compact
        >>> found = recognise(Compact(blocks=2, width=8).state_dict())
        >>> found.name, found.arguments, found.scale
        ('compact', {'blocks': 2, 'width': 8}, 4)
    """
    tensors, dialect = modern_names(tensors)
    for form in FORMATS:
        if all(key in tensors and tensors[key].ndim == n for key, n in form.signature.items()):
            arguments, scale = form.read(tensors)
            return Recognised(
                format=f"{form.title}, {dialect} names" if dialect else form.title,
                name=form.title.lower(),
                arguments=arguments,
                scale=scale,
                tensors=dict(tensors),
            )
    return None


def write_foreign(path: Path | str, generator: Generator) -> None:
    """Write a generator's weights as the field does: a pickle of `{"params_ema": state dict}`.

    Args:
        path: where to, usually `.pth`.
        generator: an RRDBNet, MSRResNet, Compact or SPAN.

    Raises:
        UserError: for another generator, which no other program would know.
    """
    state = {
        key: value.detach().cpu().contiguous() for key, value in generator.state_dict().items()
    }
    found = recognise(state)
    if found is None or type(generator) is not GENERATORS.get(found.name):
        raise UserError(
            f"{path}: other programs do not know {type(generator).__name__}; "
            f"what they know is {READABLE}"
        )
    with whole_weights(Path(path)) as unfinished:
        torch.save({"params_ema": state}, unfinished)


@dataclass(frozen=True)
class _Format:
    title: str
    signature: dict[str, int]  # name of a weight: its dimensions
    read: Callable[[Mapping[str, Tensor]], tuple[dict[str, Any], int]]


def _read_rrdbnet(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], int]:
    width, channels = tensors["conv_first.weight"].shape[:2]
    unshuffle = _side(channels)
    arguments = {
        "blocks": _count(tensors, r"body\.\d+\.rdb1\.conv1\.weight"),
        "width": width,
        "growth": tensors["body.0.rdb1.conv1.weight"].shape[0],
        "unshuffle": unshuffle,
    }
    return arguments, 2 ** _count(tensors, r"conv_up\d+\.weight") // unshuffle


def _read_msrresnet(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], int]:
    width = tensors["conv_first.weight"].shape[0]
    step = math.isqrt(tensors["upconv1.weight"].shape[0] // width)
    arguments = {"blocks": _count(tensors, r"body\.\d+\.conv1\.weight"), "width": width}
    return arguments, step ** _count(tensors, r"upconv\d\.weight")


def _read_compact(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], int]:
    convolutions = [key for key, value in tensors.items() if value.ndim == 4]
    last = max(convolutions, key=lambda key: int(re.sub(r"\D", "", key) or 0))
    width = tensors["body.0.weight"].shape[0]
    return {"blocks": len(convolutions) - 2, "width": width}, _side(tensors[last].shape[0])


def _read_span(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], int]:
    arguments = {"width": tensors["conv_1.sk.weight"].shape[0], "norm": "no_norm" not in tensors}
    return arguments, _side(tensors["upsampler.0.weight"].shape[0])


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    return sum(re.fullmatch(pattern, key) is not None for key in tensors)


def _side(channels: int) -> int:
    """Return the side of the square of RGB pixels that so many channels hold."""
    return max(1, math.isqrt(channels // 3))


FORMATS = (
    _Format("RRDBNet", {"conv_first.weight": 4, "body.0.rdb1.conv1.weight": 4}, _read_rrdbnet),
    _Format(
        "MSRResNet",
        {"conv_first.weight": 4, "body.0.conv1.weight": 4, "upconv1.weight": 4},
        _read_msrresnet,
    ),
    _Format("Compact", {"body.0.weight": 4, "body.1.weight": 1, "body.2.weight": 4}, _read_compact),
    _Format("SPAN", {"conv_1.sk.weight": 4, "upsampler.0.weight": 4}, _read_span),
)

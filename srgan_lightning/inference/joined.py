"""Convolutions joined with what follows them: a CPU then writes their output once, not thrice."""

import functools
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu_
from torch.overrides import handle_torch_function, has_torch_function


def joined_conv2d(
    features: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    slope: float | None,
    other: Tensor | None,
) -> Tensor:
    """Convolve, then activate or add, in the dtype of the weight.

    Args:
        features: `[B, inputs, H, W]`, on the CPU.
        weight: `[outputs, inputs, k, k']`.
        bias: `[outputs]`.
        padding: rows and columns of zeros on either side.
        slope: of a LeakyReLU, 0 is ReLU; None leaves it out.
        other: what is added, `[B, outputs, H', W']`; None is nothing. Not with a slope.

    Returns:
        `[B, outputs, H', W']`.
    """
    if has_torch_function((features,)):
        given = features, weight, bias, padding, slope, other
        result: Tensor = handle_torch_function(joined_conv2d, (features,), *given)
        return result
    features = features.to(weight.dtype)
    other = None if other is None else other.to(weight.dtype)
    convolve = _onednn(weight.dtype)
    if convolve is None or not features.numel():
        with torch.autocast("cpu", enabled=False):
            answer = conv2d(features, weight, bias, padding=tuple(padding))
        answer = answer if slope is None else leaky_relu_(answer, slope)
        return answer if other is None else answer + other
    place = weight, bias, list(padding), [1, 1], [1, 1], 1
    if other is not None:
        return cast(Tensor, convolve.binary(features, other, *place, "add", 1.0, None, [], None))
    activation = ("none", [], "") if slope is None else ("leaky_relu", [slope], "")
    return cast(Tensor, convolve(features, *place, *activation))


@functools.cache
def _onednn(dtype: torch.dtype) -> Any:
    """Return oneDNN's convolution with operations on its output, which torch.compile uses too.

    None where it is not built in, or does not compute in this type here.
    """
    if not torch.backends.mkldnn.is_available() or dtype not in (torch.float32, torch.bfloat16):
        return None
    if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return None
    return getattr(torch.ops.mkldnn, "_convolution_pointwise", None)


class JoinedConv2d(nn.Module):
    """A convolution and the activation of its output, or a sum with it.

    Args:
        convolution: one that `suits`.
        slope: as of `joined_conv2d`.
    """

    def __init__(self, convolution: nn.Conv2d, slope: float | None = None) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.padding = tuple(int(side) for side in convolution.padding)
        self.slope = slope

    @staticmethod
    def suits(layer: nn.Module) -> bool:
        """Tell whether a layer is a convolution that can be joined."""
        return (
            isinstance(layer, nn.Conv2d)
            and layer.stride == layer.dilation == (1, 1)
            and layer.groups == 1
            and not isinstance(layer.padding, str)
            and layer.padding_mode == "zeros"
        )

    def forward(self, features: Tensor, other: Tensor | None = None) -> Tensor:
        """Map `[B, inputs, H, W]` to `[B, outputs, H, W]`."""
        return joined_conv2d(features, self.weight, self.bias, self.padding, self.slope, other)


class JoinedResidual(nn.Module):
    """x + C(f(x)), the sum joined with the last convolution C.

    Args:
        branch: layers, of which the last is a convolution that suits.
    """

    def __init__(self, branch: nn.Sequential) -> None:
        super().__init__()
        self.first = branch[:-1]
        self.last = JoinedConv2d(cast(nn.Conv2d, branch[-1]))

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, width, H, W]` to the same shape."""
        return cast(Tensor, self.last(self.first(features), features))

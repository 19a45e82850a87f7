"""A generator rebuilt to do the same in less time, for inference only."""

import copy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from srgan_lightning.inference.blocks import BlockShuffle, NarrowConv2d
from srgan_lightning.inference.joined import JoinedConv2d, JoinedResidual
from srgan_lightning.networks.base import Generator
from srgan_lightning.networks.generators.span import Conv3XC
from srgan_lightning.networks.generators.srresnet import ResidualBlock

_FRESH = (nn.Conv2d, BlockShuffle, nn.Upsample)  # what they answer is nobody else's


@torch.no_grad()
def prepared(generator: Generator, device: torch.device, dtype: torch.dtype) -> Generator:
    """Copy a generator and rebuild it; the original stays untouched.

    Every BatchNorm becomes part of the convolution before it, what trains as several convolutions
    becomes the one it amounts to, activations compute in place, and the weights of convolutions
    are cast once, not at every call. On a CPU the convolutions to RGB become `NarrowConv2d`,
    activations and sums are joined with the convolution before them, and
    `Generator.picture_layers` compute in float32.

    Args:
        generator: any.
        device: where it will run.
        dtype: in which convolutions compute there, under autocast where that is not float32.

    Returns:
        A generator in eval mode on the device; it answers as the original does in eval mode, to
        rounding.
    """
    copied = copy.deepcopy(generator).eval().requires_grad_(False)
    for module in list(copied.modules()):
        if isinstance(module, nn.Sequential):
            _rebuild(module)
    for module in list(copied.modules()):
        for name, child in module.named_children():
            if isinstance(child, Conv3XC):
                setattr(module, name, _joined(child))
            elif (
                device.type == "cpu" and isinstance(child, nn.Conv2d) and NarrowConv2d.suits(child)
            ):
                setattr(module, name, NarrowConv2d(child))
    names = copied.picture_layers if device.type == "cpu" else ()
    carriers = {name: copied.get_submodule(name) for name in names}
    for module in copied.modules():
        convolves = isinstance(module, nn.Conv2d | nn.ConvTranspose2d | NarrowConv2d)
        if convolves and module not in carriers.values():
            module.to(dtype)
    if device.type == "cpu":
        _join(copied)
    for name, carrier in carriers.items():
        copied.set_submodule(name, _InFloat32(carrier))
    return copied.to(device)


class _InFloat32(nn.Module):
    """A layer that autocast does not reach."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            answer: Tensor = self.layer(features.float())
            return answer


def _rebuild(sequence: nn.Sequential) -> None:
    layers: list[nn.Module] = []
    for layer in sequence:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(before, layer)
        elif isinstance(layer, nn.PixelShuffle) and isinstance(before, nn.Conv2d):
            shuffle = BlockShuffle(layer.upscale_factor)
            shuffle.reorder(before)
            layers.append(shuffle)
        elif isinstance(before, _FRESH):
            layers.append(_in_place(layer))
        else:
            layers.append(layer)
    del sequence[:]
    sequence.extend(layers)


def _join(generator: Generator) -> None:
    """Join activations, and sums around residual blocks, with the convolution before them."""
    for module in list(generator.modules()):
        if isinstance(module, nn.Sequential):
            _join_activations(module)
    for module in list(generator.modules()):
        for name, child in module.named_children():
            if isinstance(child, ResidualBlock) and JoinedConv2d.suits(child.branch[-1]):
                setattr(module, name, JoinedResidual(child.branch))


def _join_activations(sequence: nn.Sequential) -> None:
    """Join each activation with the convolution before it; it may be the same before a shuffle."""
    layers: list[nn.Module] = []
    for layer in sequence:
        place = -2 if layers and isinstance(layers[-1], BlockShuffle) else -1
        before = layers[place] if len(layers) >= -place else None
        slope = _slope(layer)
        if slope is None or before is None or not JoinedConv2d.suits(before):
            layers.append(layer)
        else:
            layers[place] = JoinedConv2d(cast(nn.Conv2d, before), slope)
    del sequence[:]
    sequence.extend(layers)


def _slope(layer: nn.Module) -> float | None:
    """Return the slope of a LeakyReLU, 0 of a ReLU, None of another layer."""
    if isinstance(layer, nn.LeakyReLU):
        return layer.negative_slope
    return 0.0 if isinstance(layer, nn.ReLU) else None


def _in_place(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.ReLU | nn.LeakyReLU):
        layer.inplace = True
    elif isinstance(layer, nn.PReLU) and layer.num_parameters == 1:
        return nn.LeakyReLU(layer.weight.item(), inplace=True)
    return layer


def _joined(chain: Conv3XC) -> nn.Conv2d:
    weight, bias = chain.fused()
    joined = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    joined.weight.data, joined.bias = weight, nn.Parameter(bias)
    return joined

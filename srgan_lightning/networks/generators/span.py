"""SPAN, the Swift Parameter-free Attention Network."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad, pixel_shuffle, silu
from typing_extensions import override

from srgan_lightning.networks.base import GENERATORS, Generator
from srgan_lightning.networks.initial import start_as, start_small
from srgan_lightning.networks.layers import check_sizes, conv

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, RGB
BLOCKS = 6


@GENERATORS.register("span")
class SPAN(Generator):
    """SPAN (Wan et al. 2024, "Swift Parameter-free Attention Network", fig. 2 and 3).

    A convolution and six attention blocks on LR; the features after the first convolution, the
    first block, the first activation in the sixth block, and the end are joined by a 1×1
    convolution, which one sub-pixel convolution turns into SR. Each 3×3 convolution is trained as
    a chain of convolutions beside a 1×1 one, and runs as the single one that these amount to.
    The weights have the names of the authors' code, and the answers are its answers. As there is
    no skip from LR to SR, the first three channels start as one, nearly bilinear (see `RRDBNet`).

    Args:
        scale: the factor between the sides of LR and SR.
        width: channels; 48 in the paper's SPAN-S (426 thousand parameters as it runs), 52 in SPAN.
        norm: begin by taking 255·(LR − DIV2K's mean colour), as the authors' models do; it makes
            a slow start. Without it the weights get a buffer named `no_norm`, by which other
            programs know.

    Raises:
        UserError: for a number below 1.
    """

    def __init__(self, *, scale: int = 4, width: int = 48, norm: bool = False) -> None:
        super().__init__()
        check_sizes({"scale": scale, "width": width})
        self.scale = scale
        self.gain = 255 if norm else 1
        self.mean: Tensor
        mean = torch.tensor(MEAN if norm else (0.0, 0.0, 0.0)).view(3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        if not norm:
            self.register_buffer("no_norm", torch.zeros(1))
        self.conv_1 = Conv3XC(3, width)
        for number in range(1, BLOCKS + 1):
            self.add_module(f"block_{number}", AttentionBlock(width))
        self.conv_2 = Conv3XC(width, width)
        self.conv_cat = conv(4 * width, width, 1)
        self.upsampler = nn.Sequential(conv(width, 3 * scale**2))
        if width >= 3:
            self._start_bilinear()

    @property
    @override
    def halo(self) -> int:
        return 1 + 3 * BLOCKS + 1 + 1

    @override
    def forward(self, lr: Tensor) -> Tensor:
        first = self.conv_1((lr - self.mean) * self.gain)
        answers, inner = [first], first
        for number in range(1, BLOCKS + 1):
            answer, inner = self.get_submodule(f"block_{number}")(answers[-1])
            answers.append(answer)
        joined = self.conv_cat(torch.cat((first, self.conv_2(answers[-1]), answers[1], inner), 1))
        return pixel_shuffle(self.upsampler(joined), self.scale).to(lr.dtype)

    @torch.no_grad()
    def _start_bilinear(self) -> None:
        rgb = torch.eye(3)[:, :, None, None]
        *_, last = self.conv_1.conv
        assert isinstance(last, nn.Conv2d)
        start_as(last, 0 * rgb)
        start_as(self.conv_1.sk, rgb / self.gain)
        _, bias = _affine(self.conv_1.sk)
        bias[:3] = self.mean.flatten()
        start_as(self.conv_cat, rgb)
        start_small(self.upsampler, factor=0.01 / self.gain)
        pixels = torch.eye(9).view(9, 1, 3, 3)
        enlarged = interpolate(pixels, scale_factor=self.scale, mode="bilinear")
        central = slice(self.scale, 2 * self.scale)
        bilinear = enlarged[:, 0, central, central].flatten(1).T.reshape(-1, 3, 3)
        weight, _ = _affine(self.upsampler[0])
        for colour, kernels in enumerate(weight.chunk(3)):
            kernels[:, colour] += bilinear


class AttentionBlock(nn.Module):
    """(x + C(x))·(σ(C(x)) − ½): three convolutions C, whose answer weighs itself (SPAN, eq. 2–5).

    Attention without parameters: what the convolutions find strong, of either sign, is kept.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c1_r = Conv3XC(width, width)
        self.c2_r = Conv3XC(width, width)
        self.c3_r = Conv3XC(width, width)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block's answer and its first activation, both `[B, width, H, W]`."""
        inner = silu(self.c1_r(features))
        found = self.c3_r(silu(self.c2_r(inner)))
        return (features + found) * (torch.sigmoid(found) - 0.5), inner


class Conv3XC(nn.Module):
    """A 3×3 convolution, trained as 1×1, 3×3, 1×1 in a row beside a 1×1 (SPAN, fig. 3).

    All of it is linear, so that in eval mode one convolution does the same; its weights stand in
    the state dict as `eval_conv`, made anew whenever they are asked for.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.sk = nn.Conv2d(inputs, outputs, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, 2 * inputs, 1),
            nn.Conv2d(2 * inputs, 2 * outputs, 3),
            nn.Conv2d(2 * outputs, outputs, 1),
        )
        self.eval_conv = nn.Module()
        weight, bias = self.fused()
        self.eval_conv.register_buffer("weight", weight.detach())
        self.eval_conv.register_buffer("bias", bias.detach())
        self.register_state_dict_pre_hook(_refresh)  # type: ignore[no-untyped-call]

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, inputs, H, W]` to `[B, outputs, H, W]`."""
        if self.training:
            answer: Tensor = self.conv(pad(features, (1, 1, 1, 1))) + self.sk(features)
            return answer
        return conv2d(features, *self.fused(), padding=1)

    def fused(self) -> tuple[Tensor, Tensor]:
        """Return weight `[outputs, inputs, 3, 3]` and bias `[outputs]` of the one convolution."""
        (w1, b1), (w2, b2), (w3, b3), (w4, b4) = map(_affine, (*self.conv, self.sk))
        # Under autocast too the weights are multiplied in the precision that they have.
        with torch.autocast(w1.device.type, enabled=False):
            weight = torch.einsum("om,mnhw,ni->oihw", w3[:, :, 0, 0], w2, w1[:, :, 0, 0])
            bias = w3[:, :, 0, 0] @ (w2.sum((2, 3)) @ b1 + b2) + b3
            return weight + pad(w4, (1, 1, 1, 1)), bias + b4


def _affine(layer: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return layer.weight, layer.bias


def _refresh(module: nn.Module, *_: Any) -> None:
    assert isinstance(module, Conv3XC)
    with torch.no_grad():
        for name, value in zip(("weight", "bias"), module.fused(), strict=True):
            module.eval_conv.get_buffer(name).copy_(value)

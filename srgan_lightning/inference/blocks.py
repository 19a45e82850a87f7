"""Convolutions whose channels are blocks of pixels, in the order that a CPU lays out fast."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.overrides import handle_torch_function, has_torch_function

BLOCK = 2  # side; blocks of RGB have 12 channels, of the 16 that a CPU computes at once


def block_shuffle(blocks: Tensor, factor: int) -> Tensor:
    """Shuffle pixels of channels in the order (row, column, channel).

    `pixel_shuffle` takes (channel, row, column) and gathers every value from elsewhere; in this
    order, in channels_last memory, whole pixels are copied: in a third of the time.

    Args:
        blocks: `[B, factor² · C, H, W]`.
        factor: the side of a block.

    Returns:
        `[B, C, factor · H, factor · W]`.
    """
    if has_torch_function((blocks,)):
        result: Tensor = handle_torch_function(block_shuffle, (blocks,), blocks, factor)
        return result
    batch, channels, height, width = blocks.shape
    channels //= factor**2
    rows = blocks.permute(0, 2, 3, 1).reshape(batch, height, width, factor, -1)
    shuffled = rows.transpose(2, 3).reshape(batch, height * factor, width * factor, channels)
    return shuffled.permute(0, 3, 1, 2)


def narrow_conv2d(
    features: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int]
) -> Tensor:
    """Convolve by the kernels of a `NarrowConv2d`, in the dtype of the weight.

    Args:
        features: `[B, inputs, H, W]`.
        weight: `[BLOCK² · outputs, inputs, k + 1, k' + 1]`, for kernels of k × k'.
        bias: `[BLOCK² · outputs]`.
        padding: rows and columns of zeros on either side, as of `conv2d`.

    Returns:
        `[B, outputs, H', W']`, as large as `conv2d` with a kernel of k × k' makes it.
    """
    if has_torch_function((features,)):
        result: Tensor = handle_torch_function(
            narrow_conv2d, (features,), features, weight, bias, padding
        )
        return result
    sizes = zip(features.shape[2:], padding, weight.shape[2:], strict=True)
    height, width = (side + 2 * more - kernel + BLOCK for side, more, kernel in sizes)
    if height % BLOCK or width % BLOCK:
        features = pad(features, (0, width % BLOCK, 0, height % BLOCK))
    with torch.autocast(features.device.type, enabled=False):
        blocks = conv2d(features.to(weight.dtype), weight, bias, BLOCK, padding)
    return block_shuffle(blocks, BLOCK)[..., :height, :width]


class BlockShuffle(nn.Module):
    """`block_shuffle` as a layer.

    Args:
        factor: the side of a block.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, blocks: Tensor) -> Tensor:
        """Map `[B, factor² · C, H, W]` to `[B, C, factor · H, factor · W]`."""
        return block_shuffle(blocks, self.factor)

    @torch.no_grad()
    def reorder(self, convolution: nn.Conv2d) -> None:
        """Bring a convolution's channels from `nn.PixelShuffle`'s order into this one's."""
        for parameter in convolution.parameters():
            old = parameter.reshape(-1, self.factor**2, *parameter.shape[1:])
            parameter.copy_(old.transpose(0, 1).flatten(0, 1))


class NarrowConv2d(nn.Module):
    """A convolution to few channels that answers a block of pixels at once.

    A CPU computes 16 channels in the time of 3. So the kernel, shifted to each pixel of a block,
    becomes the kernels of one convolution with the stride of a block. It multiplies by some zeros
    more and takes a third to half of the time (64 channels to 3: 9×9 in 0.3, 3×3 in 0.5).

    Args:
        convolution: one that `suits`.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        outputs, inputs, height, width = convolution.weight.shape
        reach = BLOCK - 1
        shape = BLOCK, BLOCK, outputs, inputs, height + reach, width + reach
        weight = convolution.weight.new_zeros(shape)
        for row in range(BLOCK):
            for column in range(BLOCK):
                shifted = weight[row, column, :, :, row : row + height, column : column + width]
                shifted.copy_(convolution.weight.detach())
        bias = None if convolution.bias is None else convolution.bias.detach().repeat(BLOCK**2)
        self.padding = height // 2, width // 2
        self.weight = nn.Parameter(weight.flatten(0, 2), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    @staticmethod
    def suits(convolution: nn.Conv2d) -> bool:
        """Tell whether this one can and should stand in for a convolution."""
        return (
            convolution.out_channels * BLOCK**2 <= 16
            and min(convolution.kernel_size) > 1
            and convolution.stride == convolution.dilation == (1, 1)
            and convolution.groups == 1
            and convolution.padding == tuple(side // 2 for side in convolution.kernel_size)
            and convolution.padding_mode == "zeros"
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map `[B, inputs, H, W]` to `[B, outputs, H, W]`."""
        return narrow_conv2d(features, self.weight, self.bias, self.padding)

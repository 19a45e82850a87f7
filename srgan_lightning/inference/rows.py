"""A network run row by row: each layer keeps the rows that it still needs and computes none twice.

A tile with a halo computes the halo anew for each tile; a deep network's halo is larger than its
tiles (RRDB-23's is 349 pixels). Here a picture goes through the network in bands of rows instead.
A convolution of 2r + 1 rows keeps the last 2r rows of the band before and answers r rows late; a
sum keeps of the branch that is ahead what the other still lacks. So the work is that of the whole
picture at once, the result equal to it, and memory grows with the width only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.overrides import TorchFunctionMode

from srgan_lightning.inference.blocks import BLOCK, narrow_conv2d

BICUBIC_RADIUS = 2  # rows of LR that an enlargement by interpolation takes on either side


class NotByRowsError(Exception):
    """The network does something for which no rule is known."""


class RowStream:
    """One picture on its way through a network, band after band.

    Args:
        network: of convolutions that keep height and width, functions of single pixels, sums,
            concatenations, pixel shuffles and enlargements by interpolation.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.PixelShuffle(1))
        >>> lr, stream = torch.rand(1, 1, 7, 5), RowStream(network)
        >>> upper = stream.push(lr[..., :4, :], last=False)
        >>> lower = stream.push(lr[..., 4:, :], last=True)
        >>> bool(torch.allclose(torch.cat((upper, lower), 2), network(lr), atol=1e-6))
        True
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._steps: list[_Step] = []
        self._first = True

    def push(self, lr: Tensor, *, last: bool) -> Tensor:
        """Feed the next rows.

        Args:
            lr: `[B, 3, rows, W]`.
            last: whether the picture ends with them.

        Returns:
            The SR rows that are thereby known, `[B, 3, rows', scale·W]`; there may be none.

        Raises:
            NotByRowsError: for a network of other layers.
            Exception: whatever the network raises, out of memory say; the rows can be fed again.
        """
        steps = [replace(step) for step in self._steps]  # if this fails, it can be done again
        with _Mode(steps, first=self._first, last=last) as mode:
            sr = self._network(mode.marked(lr.view_as(lr)))
        if getattr(sr, "rows_of", None) is not mode:
            raise NotByRowsError("its output has lost its rows")
        self._steps, self._first = steps, False
        return cast(Tensor, sr)


@dataclass
class _Step:
    """What one call of a layer remembers: the rows of each operand that are still needed."""

    name: str
    kept: list[Tensor | None] = field(default_factory=list)


class _Mode(TorchFunctionMode):
    """Calls of torch functions, met in the same order in each band, with what they remember."""

    def __init__(self, steps: list[_Step], *, first: bool, last: bool) -> None:
        super().__init__()
        self._steps, self._first, self._last = steps, first, last
        self._index = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if not any(self._has_rows(each) for each in _flat(args)):
            return func(*args, **kwargs)
        name = getattr(func, "__name__", str(func))
        if name in ("__get__", "dim", "size"):
            return func(*args, **kwargs)
        rule = _RULES.get(name)
        if rule is None:
            raise NotByRowsError(f"no rule for {name}")
        step = self._step(name)
        return self.marked(rule(self, step, func, args, kwargs))

    def marked(self, rows: Tensor) -> Tensor:
        """Mark a tensor as rows of the picture, as opposed to weights."""
        rows.rows_of = self  # type: ignore[attr-defined]
        return rows

    def _has_rows(self, value: Any) -> bool:
        return isinstance(value, Tensor) and getattr(value, "rows_of", None) is self

    def _step(self, name: str) -> _Step:
        if self._index == len(self._steps):
            if not self._first:
                raise NotByRowsError("it does not do the same for each band")
            self._steps.append(_Step(name))
        step = self._steps[self._index]
        if step.name != name:
            raise NotByRowsError("it does not do the same for each band")
        self._index += 1
        return step

    # The rules -------------------------------------------------------------------------------

    def pointwise(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Apply a function of single pixels; operands of several branches are aligned first."""
        if step.name == "cat" and (args[1] if len(args) > 1 else kwargs.get("dim", 0)) != 1:
            raise NotByRowsError("no rule for a concatenation of other than channels")
        operands = [value for value in _flat(args) if self._has_rows(value)]
        if len(operands) < 2:
            return cast(Tensor, func(*args, **kwargs))
        aligned = iter(_align(step, operands))
        replaced = _replaced(args, self._has_rows, lambda _: next(aligned))
        return cast(Tensor, func(*replaced, **kwargs))

    def convolve(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Convolve what is known, without padding between bands."""
        call = _Convolution(*args, **kwargs)
        radius = call.radius()
        band = self._extended(step, call.input, radius, mode="constant")
        if band.shape[2] <= 2 * radius:
            return _no_rows(band, call.weight.shape[0], dtype=call.dtype())
        return conv2d(band, call.weight, call.bias, padding=(0, call.padding_x()))

    def convolve_narrowly(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Convolve as `convolve` does, by the kernels of a `NarrowConv2d`."""
        features, weight, bias, padding = args
        radius = padding[0]
        band = self._extended(step, features, radius, mode="constant")
        if band.shape[2] <= 2 * radius:
            return _no_rows(band, weight.shape[0] // BLOCK**2, dtype=weight.dtype)
        return narrow_conv2d(band, weight, bias, (0, padding[1]))

    def shuffle(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Shuffle pixels, of no rows as well."""
        image: Tensor = args[0]
        factor: int = args[1] if len(args) > 1 else kwargs["upscale_factor"]
        batch, channels, rows, width = image.shape
        if rows:
            return cast(Tensor, func(*args, **kwargs))
        return image.new_empty((batch, channels // factor**2, 0, width * factor))

    def unshuffle(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Fold pixels into channels; a band must hold whole squares of them."""
        image, factor = args
        if image.shape[2] % factor:
            raise NotByRowsError("a band must hold whole squares to be folded")
        result: Tensor = func(image, factor)
        return result

    def unchanged(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Let what may pad or crop pass where it does neither."""
        result: Tensor = func(*args, **kwargs)
        if result.shape != args[0].shape:
            raise NotByRowsError(f"no rule for {step.name} that changes the size")
        return result

    def interpolate(
        self, step: _Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Enlarge by a whole factor, with the rows around."""
        image, factor = args[0], kwargs.get("scale_factor")
        if factor is None or factor != int(factor) or kwargs.get("antialias"):
            raise NotByRowsError("no rule for interpolation to a size")
        factor = int(factor)
        radius = 0 if kwargs.get("mode", "nearest") == "nearest" else BICUBIC_RADIUS
        band = self._extended(step, image, radius, mode="replicate")
        batch, channels, rows, width = band.shape
        if rows <= 2 * radius:
            return band.new_empty((batch, channels, 0, width * factor))
        sr: Tensor = func(band, **kwargs)
        return sr[:, :, radius * factor : sr.shape[2] - radius * factor]

    def _extended(self, step: _Step, band: Tensor, radius: int, *, mode: str) -> Tensor:
        """Put the kept rows before a band and the border's rows at the picture's ends."""
        if not radius:
            return band
        (before,) = step.kept or [None]
        parts = [band] if before is None else [before, band]
        whole = torch.cat(parts, 2) if len(parts) > 1 else band
        top = radius if before is None and whole.shape[2] else 0
        bottom = radius if self._last else 0
        if top or bottom:
            whole = pad(whole, (0, 0, top, bottom), mode=mode)
        keep = min(2 * radius, whole.shape[2])
        # A copy: a view would hold the whole band in memory.
        step.kept = [whole[:, :, whole.shape[2] - keep :].clone()] if whole.shape[2] else [before]
        return whole


@dataclass
class _Convolution:
    """The arguments of `torch.conv2d`."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def radius(self) -> int:
        """Return how many rows the kernel reaches up and down."""
        kernel = self.weight.shape[2]
        same = _pair(self.padding)[0] == kernel // 2 and kernel % 2 == 1
        if not same or _pair(self.stride) != (1, 1) or _pair(self.dilation) != (1, 1):
            raise NotByRowsError("no rule for a convolution that changes the height")
        if self.groups != 1:
            raise NotByRowsError("no rule for a convolution in groups")
        return kernel // 2

    def padding_x(self) -> int:
        """Return the padding along a row."""
        return _pair(self.padding)[1]

    def dtype(self) -> torch.dtype:
        """Return the dtype of the result."""
        device = self.input.device.type
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
        return self.input.dtype


def _no_rows(band: Tensor, channels: int, *, dtype: torch.dtype) -> Tensor:
    batch, _, _, width = band.shape
    return band.new_empty((batch, channels, 0, width), dtype=dtype)


def _align(step: _Step, operands: Sequence[Tensor]) -> list[Tensor]:
    """Cut operands to the rows that all of them have, and keep the others for the next band."""
    kept = step.kept or [None] * len(operands)
    whole = [
        band if rest is None or not rest.shape[2] else torch.cat((rest, band), 2)
        for rest, band in zip(kept, operands, strict=True)
    ]
    common = min(each.shape[2] for each in whole)
    step.kept = [each[:, :, common:].clone() if each.shape[2] > common else None for each in whole]
    return [each[:, :, :common] for each in whole]


def _flat(args: Any) -> list[Any]:
    found = []
    for value in args:
        if isinstance(value, (tuple, list)):
            found += _flat(value)
        else:
            found.append(value)
    return found


def _replaced(args: Any, chosen: Callable[[Any], bool], new: Callable[[Any], Any]) -> Any:
    """Put something new in the place of the chosen, within lists too."""
    return [
        _replaced(value, chosen, new)
        if isinstance(value, (tuple, list))
        else (new(value) if chosen(value) else value)
        for value in args
    ]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[-1]))


_POINTWISE = (
    *("add", "add_", "sub", "rsub", "mul", "mul_", "div", "true_divide", "cat", "neg"),
    *("relu", "relu_", "leaky_relu", "leaky_relu_", "prelu", "sigmoid", "tanh", "silu", "clamp"),
    *("batch_norm", "to", "float", "bfloat16", "half", "contiguous"),
)
_RULES: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(_POINTWISE, _Mode.pointwise),
    "conv2d": _Mode.convolve,
    "narrow_conv2d": _Mode.convolve_narrowly,
    "pixel_shuffle": _Mode.shuffle,
    "block_shuffle": _Mode.shuffle,
    "pixel_unshuffle": _Mode.unshuffle,
    "pad": _Mode.unchanged,
    "__getitem__": _Mode.unchanged,
    "interpolate": _Mode.interpolate,
}

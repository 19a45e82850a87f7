"""What each torch function does to rows of a picture: rules for `rows.RowStream`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.overrides import TorchFunctionMode

from srgan_lightning.inference.blocks import BLOCK, narrow_conv2d
from srgan_lightning.inference.joined import joined_conv2d
from srgan_lightning.inference.row_pieces import Kept, align, border, no_rows

BICUBIC_RADIUS = 2  # rows of LR that an enlargement by interpolation takes on either side


class NotByRowsError(Exception):
    """The network does something for which no rule is known."""


@dataclass
class Step:
    """One call of a layer, and what it remembers from band to band.

    Attributes:
        name: the function's.
        kept: the rows of each operand that are still needed.
        radius: how many rows it is late.
        ended: whether it has been told that no more rows come.
    """

    name: str
    kept: Kept = field(default_factory=list)
    radius: int = 0
    ended: bool = False


class Mode(TorchFunctionMode):
    """Calls of torch functions, met in the same order in each band, with what they remember.

    Args:
        steps: what was met in the band before; none in the first.
        ended: of so many of them the input ends with this band.
    """

    def __init__(self, steps: list[Step], *, ended: int) -> None:
        super().__init__()
        self._steps, self._ended = steps, ended
        self._first = not steps
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

    def _step(self, name: str) -> Step:
        if self._index == len(self._steps):
            if not self._first:
                raise NotByRowsError("it does not do the same for each band")
            self._steps.append(Step(name))
        step = self._steps[self._index]
        if step.name != name:
            raise NotByRowsError("it does not do the same for each band")
        self._index += 1
        return step

    def pointwise(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Apply a function of single pixels; operands of several branches are aligned first."""
        if step.name == "cat" and (args[1] if len(args) > 1 else kwargs.get("dim", 0)) != 1:
            raise NotByRowsError("no rule for a concatenation of other than channels")
        operands = [value for value in _flat(args) if self._has_rows(value)]
        if len(operands) < 2:
            return cast(Tensor, func(*args, **kwargs))
        cut, step.kept = align(step.kept, operands)
        aligned = iter(cut)
        replaced = _replaced(args, self._has_rows, lambda _: next(aligned))
        return cast(Tensor, func(*replaced, **kwargs))

    def convolve(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Convolve what is known, without padding between bands."""
        call = _Convolution(*args, **kwargs)
        radius = call.radius()
        band = self._extended(step, call.input, radius, mode="constant")
        if band.shape[2] <= 2 * radius:
            return no_rows(band, call.weight.shape[0], dtype=call.dtype())
        return conv2d(band, call.weight, call.bias, padding=(0, call.padding_x()))

    def convolve_narrowly(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Convolve as `convolve` does, by the kernels of a `NarrowConv2d`."""
        features, weight, bias, padding = args
        radius = padding[0]
        band = self._extended(step, features, radius, mode="constant")
        if band.shape[2] <= 2 * radius:
            return no_rows(band, weight.shape[0] // BLOCK**2, dtype=weight.dtype)
        return narrow_conv2d(band, weight, bias, (0, padding[1]))

    def convolve_joined(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Convolve as `convolve` does, and activate or add what of another branch is as far."""
        features, weight, bias, padding, slope, other = args
        radius = padding[0]
        band = self._extended(step, features, radius, mode="constant")
        rows = max(band.shape[2] - 2 * radius, 0)
        if other is not None:
            ahead = self._step("other")
            (_, other), ahead.kept = align(ahead.kept, [band[:, :, :rows], other])
        if not rows:
            return no_rows(band, weight.shape[0], dtype=weight.dtype)
        return joined_conv2d(band, weight, bias, (0, padding[1]), slope, other)

    def shuffle(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Shuffle pixels, of no rows as well."""
        image: Tensor = args[0]
        factor: int = args[1] if len(args) > 1 else kwargs["upscale_factor"]
        batch, channels, rows, width = image.shape
        if rows:
            return cast(Tensor, func(*args, **kwargs))
        return image.new_empty((batch, channels // factor**2, 0, width * factor))

    def unshuffle(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Fold pixels into channels; a band must hold whole squares of them."""
        image: Tensor = args[0]
        factor: int = args[1]
        if image.shape[2] % factor:
            raise NotByRowsError("a band must hold whole squares to be folded")
        batch, channels, rows, width = image.shape
        if not rows:
            return image.new_empty((batch, channels * factor**2, 0, width // factor))
        return cast(Tensor, func(image, factor))

    def unchanged(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Let what may pad or crop pass where it does neither."""
        image: Tensor = args[0]
        if step.name == "pad" and not any(args[1]):
            return image.view_as(image)
        result: Tensor = func(*args, **kwargs)
        if result.shape != image.shape:
            raise NotByRowsError(f"no rule for {step.name} that changes the size")
        return result

    def interpolate(
        self, step: Step, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """Enlarge by a whole factor, with the rows around."""
        image, factor = args[0], kwargs.get("scale_factor")
        kwargs = dict(kwargs)
        size = kwargs.pop("size", None)
        if isinstance(size, tuple):  # its height is that of rows which are late by now
            factor = size[-1] / image.shape[3]
        if factor is None or factor != int(factor) or kwargs.get("antialias"):
            raise NotByRowsError("no rule for such an interpolation")
        factor = int(factor)
        radius = 0 if kwargs.get("mode", "nearest") == "nearest" else BICUBIC_RADIUS
        band = self._extended(step, image, radius, mode="replicate")
        batch, channels, rows, width = band.shape
        if rows <= 2 * radius:
            return band.new_empty((batch, channels, 0, width * factor))
        sr: Tensor = func(band, **{**kwargs, "scale_factor": factor})
        return sr[:, :, radius * factor : sr.shape[2] - radius * factor]

    def _extended(self, step: Step, band: Tensor, radius: int, *, mode: str) -> Tensor:
        """Put the kept rows before a band and the border's rows at the picture's ends."""
        if not radius:
            return band
        step.radius = radius
        if step.ended:
            return band[:, :, :0]
        (before,) = step.kept or [None]
        parts = [band] if before is None else [before, band]
        rows = sum(part.shape[2] for part in parts)
        if not rows:
            return band
        if before is None:
            parts.insert(0, border(band[:, :, :1], radius, mode))
        if self._index <= self._ended:
            step.ended = True
            edge = parts[-1] if parts[-1].shape[2] else parts[-2]
            parts.append(border(edge[:, :, -1:], radius, mode))
        whole = torch.cat([part for part in parts if part.shape[2]], 2)
        # A copy: a view would hold the whole band in memory.
        step.kept = [whole[:, :, max(whole.shape[2] - 2 * radius, 0) :].clone()]
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
    **dict.fromkeys(_POINTWISE, Mode.pointwise),
    "conv2d": Mode.convolve,
    "narrow_conv2d": Mode.convolve_narrowly,
    "joined_conv2d": Mode.convolve_joined,
    "pixel_shuffle": Mode.shuffle,
    "block_shuffle": Mode.shuffle,
    "pixel_unshuffle": Mode.unshuffle,
    "pad": Mode.unchanged,
    "__getitem__": Mode.unchanged,
    "interpolate": Mode.interpolate,
}

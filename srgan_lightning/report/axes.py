"""Axes of a chart: values to pixels, and the round values that are written at them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A line from `low` at pixel `start` to `high` at pixel `end`.

    Example:
        >>> axis = Axis(low=0, high=10, start=100, end=200)
        >>> axis(2.5)
        125.0
        >>> axis.ticks()
        [0, 2, 4, 6, 8, 10]
        >>> axis.label(2)
        '2'
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    count: int = 6

    @classmethod
    def around(
        cls, values: Sequence[float], *, start: float, end: float, margin: float, log: bool = False
    ) -> "Axis":
        """Make the axis that shows all values with a margin, a share of their range.

        Args:
            values: finite, positive for a logarithmic axis.
            start: pixel of the low end.
            end: pixel of the high end.
            margin: left free at both ends.
            log: whether equal ratios are equally long.
        """
        low, high = min(values), max(values)
        if log:
            free = (math.log10(high) - math.log10(low)) * margin or 0.1
            return cls(low=low * 10**-free, high=high * 10**free, start=start, end=end, log=True)
        free = (high - low) * margin or abs(low) * 0.05 or 1.0
        return cls(low=low - free, high=high + free, start=start, end=end)

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return about `count` round values (1, 2 or 5 times a power of ten) on the axis."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for factors in ((1,), (1, 3), (1, 2, 5)):
                ticks = [f * 10.0**d for d in decades for f in factors]
                shown = [tick for tick in ticks if self.low <= tick <= self.high]
                if len(shown) >= 3:
                    return shown
        step = self._step()
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        round_values = (n * step if step < 1 else round(n * step) for n in range(first, last + 1))
        return [min(max(value, self.low), self.high) for value in round_values]

    def label(self, tick: float) -> str:
        """Write a tick with as many digits as tell it from its neighbours."""
        if self.log:
            return f"{tick:g}"
        if abs(tick) >= 10_000 and tick % 1000 == 0:
            return f"{tick / 1000:,.0f}k"
        digits = max(0, -math.floor(math.log10(self._step()) + 1e-9))
        return f"{tick:,.{digits}f}".replace("-", "−")

    def _step(self) -> float:
        rough = (self.high - self.low) / self.count
        power: float = 10.0 ** math.floor(math.log10(rough))
        return next(f * power for f in (1, 2, 5, 10) if f * power >= rough * (1 - 1e-9))

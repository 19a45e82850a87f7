"""What the names of figures mean to a reader: which value is best, and how it is written."""

import math
from collections.abc import Sequence

from srgan_lightning.evaluation import words

BEST = {
    "psnr": math.inf,
    "ssim": math.inf,
    "ms_ssim": math.inf,
    "lpips": -math.inf,
    "dists": -math.inf,
    "rmse": -math.inf,
    "lr_psnr": math.inf,
    "sharpness": 1.0,
    "brightness": 0.0,
    "colour": 0.0,
    "seconds": -math.inf,
    "megapixels": math.inf,
}
SPEED = frozenset({"seconds", "megapixels"})
DISTORTION = ("psnr", "rmse")
PERCEPTION = ("lpips", "dists", "sharpness")


def hint(name: str) -> str:
    """Say which value of a figure is best; nothing where that is not known.

    >>> hint("psnr"), hint("lpips"), hint("sharpness"), hint("parameters")
    ('higher is better', 'lower is better', 'nearest to 1 is best', '')
    """
    goal = BEST.get(name)
    if goal is None:
        return ""
    if math.isinf(goal):
        return "higher is better" if goal > 0 else "lower is better"
    return f"nearest to {goal:g} is best"


def written(name: str, value: float, deviation: float | None = None) -> str:
    """Write a figure with the digits that it deserves.

    >>> written("psnr", 31.2345), written("psnr", 31.2345, 0.061), written("psnr", math.inf)
    ('31.23', '31.23 ± 0.06', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = words.written(name, value).replace("-", "−")
    return text if deviation is None else f"{text} ± {words.written(name, deviation).lstrip('+')}"


def best(name: str, values: Sequence[float]) -> float | None:
    """Return the best of some values; None where no goal is known or all are equal.

    >>> best("psnr", [20.0, 30.0]), best("sharpness", [0.5, 1.2]), best("parameters", [1.0])
    (30.0, 1.2, None)
    """
    goal = BEST.get(name)
    if goal is None or len(set(values)) < 2:
        return None
    if math.isinf(goal):
        return max(values) if goal > 0 else min(values)
    return min(values, key=lambda value: abs(value - goal))

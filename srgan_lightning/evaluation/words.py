"""How figures are called and written, in the terminal and in Markdown."""

from collections.abc import Callable, Mapping

from srgan_lightning.evaluation.bootstrap import Difference
from srgan_lightning.evaluation.table import Row, Table

# What stands in the second table of the terminal: what SR is like, and what it costs.
CHARACTER = ("sharpness", "seams", "brightness", "colour", "shift")
COSTS = ("frames", "parameters", "multiply_adds", "seconds", "megapixels")

HEADINGS = {
    "psnr": "PSNR [dB]",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "lpips": "LPIPS",
    "dists": "DISTS",
    "lr_psnr": "LR-PSNR [dB]",
    "sharpness": "sharpness",
    "seams": "seams",
    "brightness": "brightness [levels]",
    "colour": "colour [levels]",
    "shift": "shift [pixels]",
    "frames": "frames",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "seconds": "seconds",
    "megapixels": "MP/s",
}


def _decimals(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


def _quantity(value: float) -> str:
    """Write a number as engineers do.

    >>> _quantity(1518411), _quantity(114e9), _quantity(57)
    ('1.52 M', '114 G', '57')
    """
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


_WRITE: Mapping[str, Callable[[float], str]] = {
    "psnr": _decimals(2),
    "lr_psnr": _decimals(2),
    "sharpness": _decimals(3),
    "seams": _decimals(2),
    "brightness": lambda value: f"{value:+.2f}",
    "colour": _decimals(2),
    "shift": _decimals(3),
    "frames": _decimals(0),
    "parameters": _quantity,
    "multiply_adds": _quantity,
    "seconds": _decimals(3),
    "megapixels": _decimals(2),
}


def heading(name: str) -> str:
    """Return a figure's heading."""
    return HEADINGS.get(name, name)


def written(name: str, value: float) -> str:
    """Write a figure with the digits that it deserves.

    >>> written("psnr", 28.43053), written("ssim", 0.81126)
    ('28.43', '0.8113')
    """
    return _WRITE.get(name, _decimals(4))(value)


def cells(row: Row, names: list[str]) -> list[str]:
    """Write a row's figures; an empty cell where there is none."""
    return [written(name, row.figures[name]) if name in row.figures else "" for name in names]


def mean_cells(table: Table, method: str, names: list[str]) -> list[str]:
    """Write a method's means, with ± the deviation over its runs where it has several."""
    deviation = table.deviation(method)
    means = cells(Row(method, "", table.mean(method)), names)
    return [
        f"{mean} ± {written(name, deviation[name]).lstrip('+')}"
        if name in deviation and name not in COSTS
        else mean
        for name, mean in zip(names, means, strict=True)
    ]


def difference_cells(difference: Difference) -> list[str]:
    """Write a comparison: method, figure, mean difference and interval."""
    digits = len(written(difference.figure, 0.5).partition(".")[2]) + (difference.figure == "psnr")
    ends = f"[{difference.low:+.{digits}f}, {difference.high:+.{digits}f}]"
    return [
        difference.method,
        heading(difference.figure),
        f"{difference.mean:+.{digits}f}",
        ends,
    ]


def difference_title(differences: list[Difference]) -> str:
    """Say what the comparisons are."""
    first = differences[0]
    return (
        f"Difference to {first.to}, 95 % interval by paired bootstrap over "
        f"{first.pictures} pictures"
    )

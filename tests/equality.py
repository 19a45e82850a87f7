"""Whether two runs came to the same, bit for bit."""

import csv
from pathlib import Path

import torch


def assert_equal(a, b, path=""):
    """Compare checkpoints: nested containers of tensors and plain values."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_equal(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_equal(x, y, f"{path}.{index}")
    else:
        assert a == b, path


def figures(folder: Path) -> list[dict[str, str]]:
    """Read a run's metrics.csv without what the clock says."""
    with (folder / "metrics.csv").open(newline="") as file:
        return [
            {k: v for k, v in row.items() if v and "second" not in k and "megapixels" not in k}
            for row in csv.DictReader(file)
        ]

"""A fixed share of files for validation."""

from collections.abc import Sequence

from srgan_lightning.data.seeds import name_hash
from srgan_lightning.errors import UserError


def split(names: Sequence[str], share: float) -> tuple[list[int], list[int]]:
    """Divide files into those to train on and those to validate on.

    The hash of a file's name decides, so a file stays on its side when others come or go, in
    every run and on every machine. Where that would leave a side empty, the file with the
    smallest (largest) hash goes there alone.

    Args:
        names: of all files.
        share: the expected share for validation, in [0, 1); 0 is none at all.

    Returns:
        The indices of either side, rising.

    Raises:
        UserError: fewer files than sides.

    Example:
        >>> split(["a.png", "b.png", "c.png"], 0.3)
        ([0, 1], [2])
    """
    everything = list(range(len(names)))
    if share == 0:
        return everything, []
    if len(names) < 2:
        raise UserError(
            "data.split: one picture cannot both train and validate; "
            "add pictures, name data.validation, or set data.split=0"
        )
    ranked = sorted(everything, key=lambda index: name_hash(names[index]))
    below = sum(name_hash(name) < share * 2**64 for name in names)
    count = min(max(below, 1), len(names) - 1)
    return sorted(ranked[count:]), sorted(ranked[:count])

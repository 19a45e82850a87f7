"""Photographs and telescope images that ship with the package; CREDITS.md names their authors."""

from pathlib import Path
from typing import Literal

Split = Literal["train", "heldout"]


def sample_folder(split: Split) -> Path:
    """Return the folder of the packaged pictures to train on, or of those never trained on.

    >>> sample_folder("heldout").name
    'heldout'
    """
    return Path(__file__).parent / split

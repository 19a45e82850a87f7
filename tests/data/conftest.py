from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def noise(seed, height=40, width=56):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def write_pictures():
    """Return a function that fills a folder with noise: name → array."""

    def write(folder: Path, names, *, height=40, width=56, first_seed=0):
        pictures = {}
        for seed, name in enumerate(names, start=first_seed):
            pictures[name] = noise(seed, height, width)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[name]).save(folder / name)
        return pictures

    return write

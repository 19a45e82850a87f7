"""Sequences that cameras took, of ../shared/data/burst."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.multiframe.frames import open_frames
from srgan_lightning.multiframe.registration import register
from srgan_lightning.multiframe.then import enlarged

# What a person reads in the fused picture.
TRUTH = "High quality HP LaserJet printing requires high quality transparency film."


def read_text(picture: np.ndarray, folder) -> str:
    """Let Tesseract read light letters `[H, W]` in [0, 1], made as tall as it likes them."""
    levels = Image.fromarray((picture.clip(0, 1) * 255).round().astype(np.uint8))
    levels = levels.resize((2 * levels.width, 2 * levels.height), Image.Resampling.BICUBIC)
    paper = int(np.median(np.asarray(levels)))
    file = folder / "page.png"
    ImageOps.invert(ImageOps.expand(levels, 20, fill=paper)).save(file)
    command = ["tesseract", file, "-", "--psm", "6"]  # one block of text
    read = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return " ".join(read.stdout.split())


def distance(one: str, other: str) -> int:
    """Count the characters to insert, to leave out or to exchange (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


@pytest.mark.slow
def test_text_is_read_that_no_single_frame_shows(shared, tmp_path):
    if not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed")
    video, fused = shared / "data/burst/mdsp/text.avi", tmp_path / "fused.tif"
    command = [sys.executable, "-m", "srgan_lightning", "fuse", video, "-o", fused]
    subprocess.run(command, check=True, timeout=600)
    error = distance(read_text(np.asarray(Image.open(fused)), tmp_path), TRUTH)
    assert error <= 2
    frames = open_frames([video])
    assert len(frames) == 30
    for name in ("bicubic", "photo-psnr", "photo-gan"):
        model = load_upscaler(name)
        for frame in frames:
            larger = enlarged(frame.expand(3, -1, -1).numpy(), model).mean(0)
            assert distance(read_text(larger, tmp_path), TRUTH) > error


def test_a_car_that_drives_off_is_registered_by_similarities(shared):
    frames = open_frames([shared / "data/burst/mdsp/car.avi"])
    with pytest.warns(UserWarning, match="what moves otherwise is smeared"):
        shifted = register(frames, model="translation")
    scaled = register(frames, model="similarity", reference=shifted.reference)
    assert scaled.kept.all()
    assert scaled.residuals.median() < shifted.residuals.median() / 2

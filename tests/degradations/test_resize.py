"""MATLAB's imresize: published LR files, published figures, and laws."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srgan_lightning.degradations import Bicubic, crop_to_multiple, imresize
from srgan_lightning.metrics import psnr, ssim

EVAL = Path(__file__).parents[2] / "../shared/data/eval"
KERNELS = ["box", "triangle", "cubic", "lanczos3"]

needs_eval = pytest.mark.skipif(not EVAL.is_dir(), reason="../shared is absent")


def read(path):
    array = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


@needs_eval
def test_reduces_set5_to_the_published_files_in_every_pixel():
    paths = sorted((EVAL / "Set5").iterdir())
    assert len(paths) == 5
    for path in paths:
        lr = Bicubic()(crop_to_multiple(read(path), 4))
        assert torch.equal(lr, read(EVAL / "Set5_LRbicx4" / path.name)), path.name


@needs_eval
@pytest.mark.parametrize(
    ("name", "once", "each_axis"),
    [
        ("Set5", (28.4305, 0.8113, 26.6947, 0.7734), (28.4290, 0.8111, 26.6921, 0.7731)),
        ("Set14", (26.0899, 0.7049, 24.4636, 0.6639), (26.0884, 0.7048, 24.4616, 0.6637)),
    ],
)
def test_enlarges_to_the_self_check_figures(name, once, each_axis):
    figures = []
    for path in sorted((EVAL / name).iterdir()):
        hr = crop_to_multiple(read(path), 4)
        lr = Bicubic()(hr)
        row = []
        for quantize_axes in (False, True):
            sr = imresize(lr, scale=4, quantize_axes=quantize_axes)
            row += [f(sr, hr, space=s).item() for s in ("y", "rgb") for f in (psnr, ssim)]
        figures.append(row)
    assert np.mean(figures, axis=0) == pytest.approx(once + each_axis, abs=6e-5)


def transcription(line, output, scale, kernel):
    """Resize one line with a loop over outputs and inputs, indices counted from 1."""
    functions = {
        "box": (lambda x: float(-0.5 <= x < 0.5), 0.5),
        "triangle": (lambda x: max(0.0, 1 - abs(x)), 1),
        "cubic": (
            lambda x: (
                1.5 * abs(x) ** 3 - 2.5 * x**2 + 1
                if abs(x) <= 1
                else -0.5 * abs(x) ** 3 + 2.5 * x**2 - 4 * abs(x) + 2
                if abs(x) <= 2
                else 0.0
            ),
            2,
        ),
        "lanczos3": (lambda x: np.sinc(x) * np.sinc(x / 3) if abs(x) < 3 else 0.0, 3),
    }
    function, support = functions[kernel]
    shrink = min(scale, 1)
    result = []
    for i in range(1, output + 1):
        u = i / scale + 0.5 * (1 - 1 / scale)
        reach = int(np.ceil(support / shrink)) + 1
        pairs = [
            (function((u - j) * shrink), line[mirror(j - 1, len(line))])
            for j in range(int(np.floor(u)) - reach, int(np.floor(u)) + reach + 1)
        ]
        result.append(sum(w * v for w, v in pairs) / sum(w for w, _ in pairs))
    return np.array(result)


def mirror(index, length):
    while not 0 <= index < length:
        index = -1 - index if index < 0 else 2 * length - 1 - index
    return index


@pytest.mark.parametrize("kernel", KERNELS)
@given(
    length=st.integers(1, 17),
    scale=st.sampled_from([Fraction(1, 4), Fraction(1, 3), Fraction(2, 3), 1, 2, Fraction(5, 2)]),
)
@settings(max_examples=25, deadline=None)
def test_equals_a_plain_transcription(kernel, length, scale):
    image = torch.rand(1, length, dtype=torch.float64)
    resized = imresize(image, scale=scale, kernel=kernel)
    output = -(-length * scale.numerator // scale.denominator)
    assert resized.shape == (-(-scale.numerator // scale.denominator), output)
    expected = transcription(image[0].numpy(), output, float(scale), kernel)
    np.testing.assert_allclose(resized[0].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    target=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
@settings(max_examples=25, deadline=None)
def test_laws_for_all_sizes(kernel, size, target):
    image = torch.rand(2, 3, *size)
    resized = imresize(image, size=target, kernel=kernel)
    assert resized.shape == (2, 3, *target)
    assert resized.dtype == image.dtype
    flat = imresize(torch.full(size, 0.25), size=target, kernel=kernel)
    torch.testing.assert_close(flat, torch.full(target, 0.25))
    turned = imresize(image.mT, size=target[::-1], kernel=kernel)
    torch.testing.assert_close(turned.mT, resized)
    if kernel != "box":  # whose interval is half open
        flipped = imresize(image.flip(-1), size=target, kernel=kernel)
        torch.testing.assert_close(flipped.flip(-1), resized)


def test_the_same_size_changes_nothing():
    image = torch.rand(3, 7, 9)
    torch.testing.assert_close(imresize(image, scale=1), image)


def test_without_antialias_four_neighbours_count():
    image = torch.zeros(1, 16)
    image[0, 0] = 1.0
    reduced = imresize(image, size=(1, 4), antialias=False)
    assert reduced[0, 1:].eq(0).all()
    assert imresize(image, size=(1, 4))[0, 1] != 0


def test_the_unrounded_degradation_stays_in_range():
    step = torch.zeros(1, 3, 32, 32)
    step[..., 16:, :] = 1
    lr = Bicubic(quantize=False)(step)
    assert (lr.min(), lr.max()) == (0, 1)
    overshoot = imresize(step, scale=0.25)
    assert overshoot.min() < 0
    assert overshoot.max() > 1
    torch.testing.assert_close(Bicubic()(step), lr, atol=1.01 / 255, rtol=0)


def test_gradients_pass_through():
    image = torch.rand(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    with torch.inference_mode():
        imresize(image, scale=0.25)  # must leave nothing in the cache that autograd refuses
    assert torch.autograd.gradcheck(lambda x: imresize(x, scale=0.25), image)


@pytest.mark.parametrize("arguments", [{}, {"scale": 2, "size": (1, 1)}])
def test_scale_or_size(arguments):
    with pytest.raises(ValueError, match="either a scale or a size"):
        imresize(torch.zeros(4, 4), **arguments)

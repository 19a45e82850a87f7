import sys
from itertools import repeat

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import sparse_encode

from srgan_lightning.classical import Bicubic, SparseCoding
from srgan_lightning.classical.patches import average, cut, gradient_features, pad_for_patches
from srgan_lightning.classical.pursuit import pursue
from srgan_lightning.degradations import Bicubic as Degrade
from srgan_lightning.degradations import crop_to_multiple, imresize
from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.metrics.functional import psnr
from srgan_lightning.networks import GENERATORS, load_generator, save_generator


def test_codes_are_scikit_learn_s():
    draws = np.random.default_rng(0)
    atoms = draws.normal(size=(40, 24))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    signals = draws.normal(size=(50, 24))
    expected = sparse_encode(signals, atoms, algorithm="omp", n_nonzero_coefs=4)
    index, coefficients = pursue(torch.tensor(signals), torch.tensor(atoms), sparsity=4)
    codes = torch.zeros(50, 40, dtype=torch.float64).scatter_(1, index, coefficients)
    np.testing.assert_allclose(codes.numpy(), expected, atol=1e-5)


def test_codes_are_linear_in_contrast_and_nothing_stays_nothing():
    atoms = torch.nn.functional.normalize(torch.randn(20, 8, dtype=torch.float64))
    signals = torch.randn(5, 8, dtype=torch.float64)
    index, coefficients = pursue(signals, atoms, sparsity=3)
    again, scaled = pursue(7 * signals, atoms, sparsity=3)
    assert torch.equal(index, again)
    torch.testing.assert_close(scaled, 7 * coefficients)
    assert not pursue(torch.zeros(2, 8), atoms.float(), sparsity=3)[1].any()


def test_equal_atoms_do_no_harm():
    index, coefficients = pursue(torch.ones(1, 4), torch.full((3, 4), 0.5), sparsity=2)
    assert index.unique().numel() == 2
    assert coefficients.sum().item() == pytest.approx(2, abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    side=st.integers(1, 4),
    step=st.integers(1, 4),
)
def test_patches_put_any_picture_together_again(height, width, side, step):
    step = min(side, step)
    image = torch.rand(1, 1, height, width)
    padded = pad_for_patches(image, side=side, step=step)
    again = average(
        cut(padded, side=side, step=step), tuple(padded.shape[-2:]), side=side, step=step
    )
    margin = side - 1
    inside = again[..., margin : margin + height, margin : margin + width]
    torch.testing.assert_close(inside, image)


def test_features_are_derivatives():
    y = torch.arange(12.0).expand(1, 1, 9, 12)  # rises by 1 a pixel, by 1/2 in twice the size
    features = gradient_features(y)
    inside = features[..., 5:-5, 7:-7]
    assert features.shape == (1, 4, 18, 24)
    expected = torch.tensor([1.0, 0.0, 0.0, 0.0])[:, None, None].expand_as(inside[0])
    torch.testing.assert_close(inside[0], expected, atol=1e-5, rtol=0)
    assert torch.equal(gradient_features(y.mT)[:, [2, 3, 0, 1]].mT, features)


def stripes(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Sharp edges in all directions: what bicubic blurs and a dictionary can learn."""
    draws = torch.Generator().manual_seed(seed)
    angle, offset = 3.14 * torch.rand(2, count, 1, 1, generator=draws)
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    wave = torch.sin((x * angle.cos() + y * angle.sin()) / 4 + 2 * offset)
    hr = (0.5 + 0.4 * torch.tanh(4 * wave))[:, None].repeat(1, 3, 1, 1)
    return Degrade()(hr), hr


def small(**options: object) -> SparseCoding:
    return SparseCoding(**{"atoms": 48, "samples": 2000, **options})


@pytest.fixture(scope="module")
def fitted() -> SparseCoding:
    generator = small()
    generator.fit(repeat(stripes(40)))
    return generator


def gain(generator: SparseCoding, lr: torch.Tensor, hr: torch.Tensor) -> float:
    bicubic = Bicubic(scale=generator.scale)
    ours, theirs = (psnr(g(lr), hr, crop=4).mean().item() for g in (generator, bicubic))
    return ours - theirs


def test_fitted_to_edges_it_makes_them_sharper_than_bicubic(fitted):
    assert gain(fitted, *stripes(4, seed=1)) > 3


def test_fitting_repeats(fitted):
    again, shares = small(), []
    again.fit(repeat(stripes(40)), on_progress=shares.append)
    assert torch.equal(again.D_lr, fitted.D_lr)
    assert torch.equal(again.D_hr, fitted.D_hr)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_it_takes_no_more_pairs_than_it_needs():
    taken = 0

    def pairs():
        nonlocal taken
        while True:
            taken += 1
            yield stripes(10)

    small(atoms=8, samples=500).fit(pairs())
    assert taken == 1


def test_sr_reduces_to_lr_and_chroma_is_bicubic_s(fitted):
    lr = Degrade()(torch.rand(1, 3, 48, 64)) * 0.5 + 0.25
    sr = fitted(lr)
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    reduced = imresize(sr, scale=0.25)
    difference = ((reduced - lr) * weights).sum(1)
    assert difference.abs().max() < 0.02
    change = sr - Bicubic()(lr)
    torch.testing.assert_close(change, change[:, :1].expand_as(change), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (5, 3)])
def test_any_size_is_enlarged(fitted, size):
    assert fitted(torch.rand(2, 3, *size)).shape == (2, 3, 4 * size[0], 4 * size[1])


def test_a_picture_does_not_depend_on_its_batch(fitted):
    lr = torch.rand(2, 3, 9, 8)
    torch.testing.assert_close(fitted(lr)[:1], fitted(lr[:1]), atol=1e-6, rtol=0)


def test_a_file_holds_it(fitted, tmp_path):
    path = tmp_path / "generator.safetensors"
    arguments = {"atoms": 48, "samples": 2000}
    save_generator(
        path, fitted.state_dict(), name="sparse_coding", arguments=arguments, scale=4, facts={}
    )
    loaded, _ = load_generator(path)
    lr = torch.rand(1, 3, 9, 8)
    assert torch.equal(loaded(lr), fitted(lr))


def test_unfitted_it_says_how_to_fit():
    with pytest.raises(UserError, match="not fitted yet; `srgan train experiment=sparse_coding`"):
        SparseCoding()(torch.rand(1, 3, 8, 8))


def test_too_few_patches_are_told():
    with pytest.raises(UserError, match="too few for 48 atoms; give more or larger crops"):
        small().fit([(torch.full((1, 3, 9, 9), 0.5), torch.full((1, 3, 36, 36), 0.5))])
    with pytest.raises(UserError, match="there are no pairs to fit to"):
        small().fit([])


def test_without_scikit_learn_the_extra_is_named(monkeypatch, fitted):
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(UserError, match=r"pip install 'srgan-lightning\[classical\]'"):
        small().fit([stripes(40)])
    assert fitted(torch.rand(1, 3, 4, 4)).shape == (1, 3, 16, 16)  # enlarging does without


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 0}, r"generator\.patch: must be 1 or more"),
        ({"overlap": 3}, r"generator\.overlap: must lie in 0 … 2"),
        ({"atoms": 2}, r"generator\.atoms: must be 3 or more"),
        ({"samples": 9}, r"generator\.samples: must be 512 or more"),
        ({"observation": "box"}, r"generator\.observation"),
        ({"atom": 5}, "did you mean atoms"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(UserError, match=message):
        GENERATORS.build("sparse_coding", options)


@pytest.mark.parametrize("scale", [3, 4])
def test_fitted_to_photographs_it_beats_bicubic(shared, scale):
    """A tenth of the usual patches: enough to win, quick enough to test."""
    generator = SparseCoding(scale=scale, atoms=128, samples=5000)
    degradation = Degrade(scale=scale)

    def pairs():
        for path in list_images(shared / "data/train/T91"):
            hr = crop_to_multiple(to_tensor(read_rgb(path)), scale)
            yield degradation(hr[..., :72, :72]), hr[..., :72, :72]

    generator.fit(pairs())
    for name in ("butterfly", "head", "woman"):
        hr = crop_to_multiple(to_tensor(read_rgb(shared / f"data/eval/Set5/{name}.png")), scale)
        assert gain(generator, degradation(hr), hr) > 0.5

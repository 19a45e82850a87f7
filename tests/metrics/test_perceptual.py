"""LPIPS and DISTS: torchmetrics' figures, and no download."""

import pytest
import torch
import torchvision
from torchmetrics.functional.image.dists import deep_image_structure_and_texture_similarity
from torchmetrics.functional.image.lpips import learned_perceptual_image_patch_similarity

from srgan_lightning.errors import UserError
from srgan_lightning.metrics import LearnedDistance, quantize

BACKBONES = {
    "lpips": (torchvision.models.alexnet, "alexnet-owt-7be5be79.pth"),
    "dists": (torchvision.models.vgg16, "vgg16-397923af.pth"),
}
IMAGES = torch.rand(2, 2, 3, 72, 80, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    return tmp_path / "hub/checkpoints"


@pytest.fixture
def backbone(request, cache):
    """A cache with a backbone of random weights, its classifier as small as the file may be."""
    build, file = BACKBONES[request.param]
    with torch.random.fork_rng(), torch.device("meta"):
        shapes = {k: v.shape for k, v in build(weights=None).state_dict().items()}
    draws = torch.Generator().manual_seed(1)
    state = {
        key: 0.05 * torch.randn(shape, generator=draws)
        if key.startswith("features")
        else torch.zeros(1).expand(shape)
        for key, shape in shapes.items()
    }
    torch.save(state, cache / file)
    return request.param


@pytest.mark.parametrize("backbone", ["lpips", "dists"], indirect=True)
def test_the_figures_are_torchmetrics(backbone):
    distance = LearnedDistance(name=backbone)
    sr, hr = IMAGES
    levels = [(quantize(image) / 255).float()[..., 4:-4, 4:-4] for image in (sr, hr)]
    if backbone == "lpips":
        expected = [
            learned_perceptual_image_patch_similarity(
                levels[0][i : i + 1], levels[1][i : i + 1], net_type="alex", normalize=True
            ).item()
            for i in range(2)
        ]
    else:
        expected = deep_image_structure_and_texture_similarity(*levels).tolist()
    assert distance(sr, hr).tolist() == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert distance(sr[:1], hr[:1]).shape == (1,)
    assert distance(hr, hr).tolist() == pytest.approx([0, 0], abs=1e-5)
    with pytest.raises(UserError, match="too small"):
        distance(sr[..., :39, :39], hr[..., :39, :39])


@pytest.mark.parametrize(("name", "file"), [(n, f) for n, (_, f) in BACKBONES.items()])
def test_without_weights_one_line_says_so(name, file, cache):
    with pytest.raises(UserError, match=rf"^{name.upper()} is left out: .*{file}.* are not in"):
        LearnedDistance(name=name)

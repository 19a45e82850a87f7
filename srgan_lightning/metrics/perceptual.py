"""LPIPS and DISTS, distances that were learned from human judgements."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from srgan_lightning.errors import UserError
from srgan_lightning.metrics.preparation import prepare

LearnedName = Literal["lpips", "dists"]

SMALLEST = 32  # pixels; the backbones' last layers see something still
# torchvision's ImageNet weights; torchmetrics brings only what was learned on top of them.
BACKBONES: dict[LearnedName, tuple[str, str]] = {
    "lpips": ("AlexNet", "alexnet-owt-7be5be79.pth"),
    "dists": ("VGG16", "vgg16-397923af.pth"),
}


class LearnedDistance:
    """LPIPS (Zhang et al. 2018, AlexNet, version 0.1) or DISTS (Ding et al. 2020): 0 is equal.

    Pictures are rounded to 8 bits and cropped as for PSNR, and compared in RGB. Nothing is ever
    downloaded: the backbone's weights must lie in the cache of `torch.hub`.

    Args:
        name: `lpips` or `dists`.

    Raises:
        UserError: for a backbone whose weights are not in the cache.
    """

    def __init__(self, *, name: LearnedName) -> None:
        backbone, file = BACKBONES[name]
        if not Path(torch.hub.get_dir(), "checkpoints", file).is_file():
            raise UserError(
                f"{name.upper()} is left out: {backbone}'s weights ({file}) are not in torch.hub's "
                "cache"
            )
        self.name = name
        self._network = _lpips() if name == "lpips" else _dists()

    @torch.inference_mode()
    def __call__(self, sr: Tensor, hr: Tensor, *, crop: int = 4) -> Tensor:
        """Measure a batch.

        Args:
            sr: float `[B, 3, H, W]`, RGB in [0, 1].
            hr: of the same shape.
            crop: pixels left out at each border.

        Returns:
            float32 `[B]`.

        Raises:
            UserError: for pictures of different sizes, or with less than 32 pixels after the crop.
        """
        sr, hr = prepare(sr, hr, crop=crop, space="rgb", smallest=SMALLEST)
        distance: Tensor = self._network((sr / 255).float().cpu(), (hr / 255).float().cpu())
        return distance.reshape(-1)


class _Symmetric(nn.Module):
    """LPIPS's network with pictures in [0, 1], not in [−1, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distance: Tensor = self.network(2 * sr - 1, 2 * hr - 1)
        return distance


def _lpips() -> nn.Module:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    return _Symmetric(LearnedPerceptualImagePatchSimilarity(net_type="alex").net)


def _dists() -> nn.Module:
    from torchmetrics.functional.image.dists import DISTSNetwork

    return DISTSNetwork().eval()

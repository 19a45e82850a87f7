"""The content loss: how far apart SR and HR are in the features of a VGG network."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from srgan_lightning.errors import UserError
from srgan_lightning.losses.pixel import l1, mse
from srgan_lightning.networks.features import VGGFeatures

Distance = Literal["mse", "l1", "relative"]


def content_loss(
    features_sr: Mapping[str, Tensor],
    features_hr: Mapping[str, Tensor],
    weights: Mapping[str, float],
    distance: Distance = "mse",
    feature_scale: float = 1.0,
) -> Tensor:
    """Weighted distance of feature maps, Σ_l w_l · d(s·φ_l(SR), s·φ_l(HR)).

    d is the mean of squared or of absolute differences over all values of a map, or of
    `relative_difference` over its places. Ledig et al.
    (2017, eq. 5) divide by the map's width and height; the mean divides by its channels too, as
    their reference implementations do. Their s is 1/12.75, which brings the squared differences
    to the size of an image's MSE: s² ≈ 0.006.

    Args:
        features_sr: the maps φ_l(SR) by layer, `[B, C, H, W]` each.
        features_hr: the maps φ_l(HR), the same shapes.
        weights: w_l by layer; layers without a weight do not count.
        distance: `mse`, `l1` or `relative`.
        feature_scale: s, which makes no difference to `relative`.

    Returns:
        A float32 scalar.

    Example:
        >>> sr = {"relu5_4": torch.full((1, 2, 3, 3), 2.0)}
        >>> hr = {"relu5_4": torch.zeros(1, 2, 3, 3)}
        >>> content_loss(sr, hr, {"relu5_4": 10.0}, feature_scale=0.5).item()
        10.0
    """
    measure, factor = {
        "mse": (mse, feature_scale**2),
        "l1": (l1, abs(feature_scale)),
        "relative": (relative_difference, 1.0),
    }[distance]
    terms = [
        factor * weight * measure(features_sr[layer], features_hr[layer])
        for layer, weight in weights.items()
    ]
    return torch.stack(terms).sum()


def relative_difference(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean over places of Σ_c (φ(SR) − φ(HR))² / (Σ_c φ(HR)² + e).

    e is the mean of the map's energies Σ_c φ(HR)². Faint texture then counts nearly as much as
    strong edges, which is what makes LPIPS (Zhang et al. 2018, eq. 1) of feature maps: there each
    place is scaled to length 1, so that next to nothing at all counts as well.

    Args:
        sr: φ(SR), `[B, C, H, W]`.
        hr: φ(HR), the same shape.

    Returns:
        A float32 scalar.

    Example:
        >>> hr = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
        >>> relative_difference(torch.zeros_like(hr), hr).item()
        0.5
    """
    sr, hr = sr.float(), hr.float()
    energy = hr.square().sum(1)
    return ((sr - hr).square().sum(1) / (energy + energy.mean()).clamp(min=1e-12)).mean()


class ContentLoss(nn.Module):
    """`content_loss` of images: Σ_l w_l · d(s·φ_l(SR), s·φ_l(HR)).

    HR's features are computed without a graph.

    Args:
        features: the network φ, which gives at least the layers that have a weight.
        layers: w_l by layer name, `{"relu5_4": 1.0}`.
        distance: `mse`, `l1` or `relative`.
        feature_scale: s; 1/12.75 in Ledig et al. (2017, sec. 3.2).

    Raises:
        UserError: for no layer at all, or one that `features` does not give.
    """

    def __init__(
        self,
        *,
        features: VGGFeatures,
        layers: Mapping[str, float],
        distance: Distance = "mse",
        feature_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if not layers:
            raise UserError("content.layers: name one layer at least, such as {relu5_4: 1.0}")
        for layer in layers:
            if layer not in features.layers:
                raise UserError(
                    f"content.layers: {layer!r} is not among the features that are computed "
                    f"({', '.join(features.layers)})"
                )
        self.features = features
        self.layers = dict(layers)
        self.distance: Distance = distance
        self.feature_scale = feature_scale

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare SR with HR, both `[B, 3, H, W]` in [0, 1]; returns a scalar."""
        with torch.no_grad():
            features_hr = self.features(hr)
        return content_loss(
            self.features(sr), features_hr, self.layers, self.distance, self.feature_scale
        )

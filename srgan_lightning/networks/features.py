"""Feature maps of VGG networks for content losses."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import torch
from torch import Tensor, nn

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.networks.files import file_hash, read_tensors

Network = Literal["vgg16", "vgg19"]

# Convolutions in each of the five blocks (Simonyan & Zisserman 2015, table 1, D and E).
CONVOLUTIONS: Mapping[Network, tuple[int, ...]] = {
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
# torchvision's ImageNet weights; the digits in a name begin the file's SHA-256.
WEIGHT_URLS: Mapping[Network, str] = {
    "vgg16": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "vgg19": "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
RANDOM_SEED = 0


class VGGFeatures(nn.Module):
    """Feature maps of VGG16 or VGG19 (Simonyan & Zisserman 2015), frozen.

    Layers are named as in the literature: `conv3_2` is the second convolution in front of the
    third pooling, before its activation; `relu3_2` the same after it; `pool3` the pooling. SRGAN's
    VGG5,4 is `relu5_4` of VGG19 ("after activation"), ESRGAN's is `conv5_4`. The network is built
    only as deep as the deepest layer asked for, needs no gradient and never leaves eval mode.

    Args:
        network: `vgg19` or `vgg16`.
        layers: the names of the feature maps to return.
        weights: `imagenet` (torchvision's, from the cache of `torch.hub` or downloaded to it);
            `random` (He's initialisation from a fixed seed; the global random state is left
            alone); `auto` (ImageNet's if they lie in the cache, else random, with a warning); or
            the path of a `.pth` or `.safetensors` file with torchvision's names
            (`features.0.weight` …), in any float dtype, the classifier not needed.

    Attributes:
        layers: the names, as asked for.
        source: where the weights came from, for a run's metadata: `imagenet vgg19-dcbb9e9d`,
            `random (seed 0)` or `NAME (sha256 …)`.

    Raises:
        UserError: for an unknown or missing layer name, and for weights that are not to be had,
            damaged or of another network.

    Example:
        >>> features = VGGFeatures(layers=("relu2_2",), weights="random")
        >>> features(torch.rand(1, 3, 16, 16))["relu2_2"].shape
        torch.Size([1, 128, 8, 8])
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        network: Network = "vgg19",
        layers: tuple[str, ...] = ("relu5_4",),
        weights: str = "imagenet",
    ) -> None:
        super().__init__()
        known = layer_names(network)
        if not layers:
            raise UserError("features.layers: name one layer at least, such as relu5_4")
        for layer in layers:
            if layer not in known:
                raise UserError(
                    f"features.layers: {network} has no {layer!r}; {nearest(layer, known)}"
                )
        self.layers = tuple(layers)
        self._names = known[: 1 + max(map(known.index, layers))]
        self.features = nn.Sequential(*_build(self._names, kept=layers))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1))
        self.source = self._initialise(network, weights)
        self.requires_grad_(False)
        super().train(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Compute the feature maps.

        Args:
            image: `[B, 3, H, W]`, RGB in [0, 1]; H and W 2ⁿ or more below n poolings.

        Returns:
            For each of `layers` its map `[B, C, H / 2ⁿ, W / 2ⁿ]`, sides rounded down.
        """
        maps = {}
        current = (image - self.mean) / self.std
        for name, module in zip(self._names, self.features, strict=True):
            current = module(current)
            if name in self.layers:
                maps[name] = current
        return maps

    def train(self, mode: bool = True) -> Self:
        """Stay in eval mode, whatever is asked."""
        return self

    def _initialise(self, network: Network, weights: str) -> str:
        cached = vgg_cache_path(network)
        if weights == "auto":
            weights = "imagenet" if cached.is_file() else "random"
            if weights == "random":
                warnings.warn(
                    f"features.weights=auto: no ImageNet weights at {cached}, so the content loss "
                    f"uses a RANDOM {network}; `features.weights=imagenet` downloads the real ones",
                    stacklevel=3,
                )
        if weights == "random":
            self._draw()
            return f"random (seed {RANDOM_SEED})"
        if weights == "imagenet":
            self._load(cached, network, _imagenet(network, cached))
            return f"imagenet {cached.stem}"
        path = Path(weights).expanduser()
        if not path.is_file():
            raise UserError(
                f"features.weights: {weights!r} is neither a file nor one of auto, imagenet, random"
            )
        self._load(path, network, read_tensors(path))
        return f"{path.name} (sha256 {file_hash(path)[:12]})"

    def _draw(self) -> None:
        generator = torch.Generator().manual_seed(RANDOM_SEED)
        for name, parameter in self.features.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
            else:
                nn.init.zeros_(parameter)

    def _load(self, path: Path, network: Network, tensors: Mapping[str, Tensor]) -> None:
        for key, parameter in self.features.named_parameters(prefix="features"):
            if key not in tensors or tensors[key].shape != parameter.shape:
                raise UserError(
                    f"{path}: has no {key} of shape {tuple(parameter.shape)}; is it torchvision's "
                    f"{network}, as deep as {self._names[-1]}?"
                )
            parameter.data.copy_(tensors[key])


def layer_names(network: Network) -> list[str]:
    """Return the names of a network's layers in order; place n is torchvision's `features[n]`.

    >>> layer_names("vgg19")[:5]
    ['conv1_1', 'relu1_1', 'conv1_2', 'relu1_2', 'pool1']
    """
    names = []
    for block, count in enumerate(CONVOLUTIONS[network], start=1):
        for index in range(1, count + 1):
            names += [f"conv{block}_{index}", f"relu{block}_{index}"]
        names.append(f"pool{block}")
    return names


def vgg_cache_path(network: Network) -> Path:
    """Return where `torch.hub` keeps a network's ImageNet weights, there or not."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHT_URLS[network].rsplit("/", 1)[1]


def _imagenet(network: Network, cached: Path) -> dict[str, Tensor]:
    if not cached.is_file():
        digits = cached.stem.rsplit("-", 1)[1]
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(WEIGHT_URLS[network], str(cached), hash_prefix=digits)
        except (OSError, RuntimeError) as error:  # no network; another file than expected
            raise UserError(
                f"features.weights=imagenet: cannot download {WEIGHT_URLS[network]} ({error}); "
                f"connect this machine once, or put that file at {cached} (or give its path in "
                "loss.content.features.weights), or choose features.weights=random"
            ) from None
    return read_tensors(cached)


def _build(names: list[str], *, kept: tuple[str, ...]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for position, name in enumerate(names):
        if name.startswith("conv"):
            outputs = min(64 * 2 ** (int(name[4]) - 1), 512)
            # On "meta" no values are drawn: the global random state is left alone.
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, device="meta")
            layers.append(convolution.to_empty(device="cpu"))
            inputs = outputs
        elif name.startswith("relu"):
            # In place saves a copy, but must not overwrite a map that is handed out.
            layers.append(nn.ReLU(inplace=names[position - 1] not in kept))
        else:
            layers.append(nn.MaxPool2d(2))
    return layers

"""The generator's loss: a weighted sum of named terms."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from torch import Tensor, nn

from srgan_lightning.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss
from srgan_lightning.losses.content import ContentLoss, Distance
from srgan_lightning.losses.grid import GridLoss
from srgan_lightning.losses.pixel import PIXEL_LOSSES
from srgan_lightning.losses.variation import TotalVariation
from srgan_lightning.networks.features import VGGFeatures


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedTerm(BaseModel):
    """A loss chosen by name; further keys are its arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    weight: NonNegativeFloat

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The further keys."""
        return dict(self.__pydantic_extra__ or {})


class FeaturesConfig(_Config):
    """Where the content loss's features come from (see `networks.features.VGGFeatures`)."""

    network: Literal["vgg19", "vgg16"] = "vgg19"
    weights: str = "imagenet"


class ContentTerm(_Config):
    """Distance of feature maps (see `losses.content.ContentLoss`).

    Attributes:
        weight: of the whole term.
        layers: the feature maps, by the literature's names.
        layer_weights: one for each layer; null weighs all alike, with 1.
        distance: `mse`, `l1` or `relative`.
        feature_scale: a factor on the feature maps; the SRGAN paper's is 1/12.75.
        features: the network.
    """

    weight: NonNegativeFloat
    layers: tuple[str, ...] = Field(default=("relu5_4",), min_length=1)
    layer_weights: tuple[float, ...] | None = None
    distance: Distance = "mse"
    feature_scale: PositiveFloat = 1.0
    features: FeaturesConfig = FeaturesConfig()

    @model_validator(mode="after")
    def _one_weight_a_layer(self) -> "ContentTerm":
        if self.layer_weights is not None and len(self.layer_weights) != len(self.layers):
            raise ValueError("layer_weights wants one weight for each of layers")
        return self

    @property
    def weighted_layers(self) -> dict[str, float]:
        """The layers and their weights."""
        weights = self.layer_weights or (1.0,) * len(self.layers)
        return dict(zip(self.layers, weights, strict=True))


class VariationTerm(_Config):
    """Total variation of SR."""

    weight: NonNegativeFloat = 0.0


class GridTerm(_Config):
    """What repeats with the up-sampler's period in SR, not in HR (see `losses.grid.grid_loss`).

    Attributes:
        weight: of the term.
        period: the up-sampler's factor.
    """

    weight: NonNegativeFloat = 0.0
    period: PositiveInt = 4


class LossConfig(_Config):
    """The terms and their weights.

    A pixel stage uses the pixel loss alone, with weight 1; an adversarial stage uses the sum of
    all terms with the weights given here. A term of weight 0 is not built.
    """

    pixel: NamedTerm
    content: ContentTerm
    adversarial: NamedTerm
    total_variation: VariationTerm = VariationTerm()
    grid: GridTerm = GridTerm()


class GeneratorObjective(nn.Module):
    """l = Σ w l over the terms pixel, content, total_variation, grid, and ramp w l of adversarial.

    It is kept outside the training module's tree: the content loss's frozen VGG belongs neither
    into checkpoints nor into DDP's buckets, and must not be switched to training mode.

    Args:
        config: terms and weights.
        adversarial: whether the run has an adversarial stage; without one, content features
            are not loaded.
    """

    def __init__(self, config: LossConfig, *, adversarial: bool) -> None:
        super().__init__()
        self.weights = {
            "pixel": config.pixel.weight,
            "content": config.content.weight,
            "total_variation": config.total_variation.weight,
            "grid": config.grid.weight,
        }
        self.pixel_name = config.pixel.name
        self.pixel: nn.Module = PIXEL_LOSSES.build(config.pixel.name, config.pixel.arguments)
        self.variation = TotalVariation()
        self.grid = GridLoss(config.grid.period)
        self.adversarial_weight = config.adversarial.weight
        self.adversarial: AdversarialLoss = ADVERSARIAL_LOSSES.build(
            config.adversarial.name, config.adversarial.arguments
        )
        self.content: ContentLoss | None = None
        if adversarial and config.content.weight:
            self.content = ContentLoss(
                features=VGGFeatures(
                    network=config.content.features.network,
                    layers=config.content.layers,
                    weights=config.content.features.weights,
                ),
                layers=config.content.weighted_layers,
                distance=config.content.distance,
                feature_scale=config.content.feature_scale,
            )

    @property
    def features_source(self) -> str | None:
        """Which weights the content features have; None where there is no content loss."""
        return None if self.content is None else self.content.features.source

    def reconstruction(self, sr: Tensor, hr: Tensor, *, adversarial: bool) -> dict[str, Tensor]:
        """Return the terms that compare SR with HR, unweighted, by name.

        Args:
            sr: `[B, 3, H, W]`.
            hr: `[B, 3, H, W]` in [0, 1].
            adversarial: whether the stage is adversarial; a pixel stage has the pixel term alone.
        """
        if not adversarial:
            return {"pixel": self.pixel(sr, hr)}
        terms: dict[str, Tensor] = {}
        if self.weights["pixel"]:
            terms["pixel"] = self.pixel(sr, hr)
        if self.content is not None:
            terms["content"] = self.content(sr, hr)
        if self.weights["total_variation"]:
            terms["total_variation"] = self.variation(sr)
        if self.weights["grid"]:
            terms["grid"] = self.grid(sr, hr)
        return terms

    def total(self, terms: Mapping[str, Tensor], *, adversarial: bool, ramp: float) -> Tensor:
        """Return the weighted sum of `terms` (`adversarial` among them in such a stage)."""
        if not adversarial:
            return terms["pixel"]
        weights = {**self.weights, "adversarial": ramp * self.adversarial_weight}
        weighted = [weights[name] * term for name, term in terms.items()]
        total = weighted[0]
        for term in weighted[1:]:
            total = total + term
        return total

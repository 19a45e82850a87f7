"""Every network in small, and what tests do with them."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from srgan_lightning.networks import GENERATORS, Generator


@dataclass(frozen=True)
class Row:
    """A network for the tests: small, and with every kind of layer that it can have."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    scales: tuple[int, ...] = (2, 3, 4, 8)
    multiple: int = 1  # the sides that an exported network takes are multiples of this

    def build(self, scale: int = 4) -> Generator:
        torch.manual_seed(0)
        return GENERATORS.build(self.name, self.arguments, scale=scale)


NETWORKS = {
    "compact": Row("compact", {"blocks": 2, "width": 16}),
    "edsr": Row("edsr", {"blocks": 2, "width": 16}),
    "edsr scaled": Row("edsr", {"blocks": 2, "width": 16, "residual_scale": 0.1}),
    "espcn": Row("espcn"),
    "espcn relu": Row("espcn", {"activation": "relu"}),
    "fsrcnn": Row("fsrcnn", {"features": 24, "shrunk": 8, "mappings": 2}),
    "keras_srgan": Row("keras_srgan", {"blocks": 1, "width": 8}),
    "keras_srgan tutorial": Row(
        "keras_srgan", {"blocks": 1, "width": 8, "upsample_activation": "prelu"}
    ),
    "msrresnet": Row("msrresnet", {"blocks": 2, "width": 16}, scales=(2, 3, 4)),
    "rdn": Row("rdn", {"blocks": 2, "layers": 2, "growth": 8, "width": 16}),
    "rrdbnet": Row("rrdbnet", {"blocks": 1, "width": 16, "growth": 8}, scales=(1, 2, 4, 8)),
    "rrdbnet unshuffled": Row(
        "rrdbnet",
        {"blocks": 1, "width": 16, "growth": 8, "unshuffle": 2},
        scales=(1, 2, 4),
        multiple=2,
    ),
    "span": Row("span", {"width": 12}),
    "span normed": Row("span", {"width": 12, "norm": True}),
    "srcnn": Row("srcnn", {"features": 16, "mapped": 8}),
    "srcnn 9-5-5": Row("srcnn", {"middle_kernel": 5, "features": 16, "mapped": 8}),
    "srresnet": Row("srresnet", {"blocks": 1, "width": 8}),
    "vdsr": Row("vdsr", {"layers": 4, "width": 16}),
}


def stir(net: nn.Module) -> None:
    """Move every parameter a little, so that no layer is left that starts at zero."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))


def averaging(net: nn.Module) -> None:
    """Make every convolution an average of its inputs: no path cancels another or fades."""
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                weight = parameter.abs()
                parameter.copy_(weight / weight.sum(tuple(range(1, weight.dim())), keepdim=True))

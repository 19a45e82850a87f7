"""BasicSR's SRGANModel as an opponent, from a checkout that the user gives.

Nothing of BasicSR is kept here; its own classes are imported from the checkout.
"""

import importlib
import sys
import types
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
import torchvision
import typer
from gan_step import WARM_UP, Framework, now
from torch import Tensor

from srgan_lightning.networks import DISCRIMINATORS, GENERATORS
from srgan_lightning.networks.base import Discriminator, Generator

# BasicSR's options/train/SRResNet_SRGAN/train_MSRGAN_x4.yml, and the same for this project.
OPTIONS: dict[str, Any] = {
    "model_type": "SRGANModel",
    "is_train": True,
    "dist": False,
    "scale": 4,
    "path": {},
    "network_g": {
        "type": "MSRResNet",
        "num_in_ch": 3,
        "num_out_ch": 3,
        "num_feat": 64,
        "num_block": 16,
        "upscale": 4,
    },
    "network_d": {"type": "VGGStyleDiscriminator", "num_in_ch": 3, "num_feat": 64},
    "train": {
        "ema_decay": 0.999,
        "optim_g": {"type": "Adam", "lr": 1e-4, "weight_decay": 0, "betas": [0.9, 0.99]},
        "optim_d": {"type": "Adam", "lr": 1e-4, "weight_decay": 0, "betas": [0.9, 0.99]},
        "scheduler": {"type": "MultiStepLR", "milestones": [50000], "gamma": 0.5},
        "pixel_opt": {"type": "L1Loss", "loss_weight": 1e-2, "reduction": "mean"},
        "perceptual_opt": {
            "type": "PerceptualLoss",
            "layer_weights": {"conv5_4": 1},
            "vgg_type": "vgg19",
            "use_input_norm": True,
            "range_norm": False,
            "perceptual_weight": 1.0,
            "style_weight": 0,
            "criterion": "l1",
        },
        "gan_opt": {"type": "GANLoss", "gan_type": "vanilla", "loss_weight": 5e-3},
    },
}
OURS = (
    "experiment=srgan",
    "data.crop_size=128",
    "data.batch_size=16",
    "loss.pixel.name=l1",
    "loss.pixel.weight=1e-2",
    "loss.content.layers=[conv5_4]",
    "loss.content.distance=l1",
    "loss.content.feature_scale=1",
    "loss.content.features.weights=random",
    "loss.adversarial.weight=5e-3",
    "optim.generator.betas=[0.9,0.99]",
    "optim.discriminator.betas=[0.9,0.99]",
)


def import_basicsr(checkout: Path) -> None:
    """Make BasicSR's networks and SRGANModel importable, and register the networks here.

    Its package imports OpenCV and its whole data room at once; a training step needs neither.

    Raises:
        typer.BadParameter: no checkout of BasicSR.
    """
    package = checkout / "basicsr"
    if not (package / "models" / "srgan_model.py").is_file():
        raise typer.BadParameter(f"--basicsr {checkout}: no checkout of BasicSR lies there")
    module = types.ModuleType("basicsr")
    module.__path__ = [str(package)]
    sys.modules["basicsr"] = module
    sys.modules.setdefault("cv2", MagicMock())
    # It asks torchvision for ImageNet weights by an argument that is going away.
    torchvision.models.vgg.vgg19 = lambda pretrained: torchvision.models.vgg19(weights=None)
    archs = importlib.import_module("basicsr.archs")

    @GENERATORS.register("msrresnet")
    class MSRResNet(Generator):
        """BasicSR's generator under this project's name for it."""

        halo = 40

        def __init__(self) -> None:
            super().__init__()
            self.scale = OPTIONS["scale"]
            self.network = archs.build_network(OPTIONS["network_g"])

        def forward(self, lr: Tensor) -> Tensor:
            return self.network(lr)

    @DISCRIMINATORS.register("vgg_style")
    class VGGStyleDiscriminator(Discriminator):
        """BasicSR's discriminator under this project's name for it."""

        def __init__(self) -> None:
            super().__init__()
            self.network = archs.build_network(OPTIONS["network_d"])
            # Its forward ends in a view, which channels_last memory does not allow.
            self.network.bn4_1.register_forward_hook(lambda *call: call[-1].contiguous())

        def forward(self, image: Tensor) -> Tensor:
            return self.network(image)


class BasicSR:
    """BasicSR's own SRGANModel, with the weights of a framework's module and its batch.

    Args:
        framework: whose weights and batch to take, before its first step.
        device: where to compute.
    """

    def __init__(self, framework: Framework, device: torch.device) -> None:
        models = importlib.import_module("basicsr.models")
        module = framework.module
        self.model = models.build_model({**OPTIONS, "num_gpu": int(device.type == "cuda")})
        for mine, theirs in (
            (module.generator.network, self.model.net_g),
            (module.generator.network, self.model.net_g_ema),
            (module.discriminator.network, self.model.net_d),
            (module.objective.content.features.features, self.model.cri_perceptual.vgg.vgg_net),
        ):
            theirs.load_state_dict(
                dict(zip(theirs.state_dict(), mine.state_dict().values(), strict=True))
            )
        hr, lr, _ = framework.batch
        assert lr is not None
        self.data = {"lq": _ready(lr), "gt": _ready(hr)}
        self.steps = 0
        self.first: dict[str, float] = {}

    def seconds(self, steps: int) -> float:
        """Train a few steps; returns the seconds of one."""
        for index in range(WARM_UP + steps):
            if index == WARM_UP:
                started = now()
            self.steps += 1
            self.model.update_learning_rate(self.steps)
            self.model.feed_data(self.data)
            self.model.optimize_parameters(self.steps)
            if not self.first:
                self.first = dict(self.model.get_current_log())
        return (now() - started) / steps


def _ready(image: Tensor) -> Tensor:
    return image.contiguous().float() / 255


def first_log(opponent: BasicSR) -> dict[str, float]:
    """Return BasicSR's losses before its first step."""
    return opponent.first


def first_losses(framework: Framework) -> dict[str, float]:
    """Return the framework's losses before its first step, weighted as in BasicSR's log."""
    hr, lr = (_ready(image) for image in (framework.batch.hr, framework.batch.lr))
    module = framework.module
    weights = module.objective.weights
    with torch.no_grad():
        terms = module.objective.reconstruction(module.generator(lr), hr, adversarial=True)
    return {
        "l_g_pix": weights["pixel"] * float(terms["pixel"]),
        "l_g_percep": weights["content"] * float(terms["content"]),
    }

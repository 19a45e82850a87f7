"""Every adversarial game through the real training module."""

import copy
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from srgan_lightning.config import check
from srgan_lightning.data.batches import TrainBatch
from srgan_lightning.errors import UserError
from srgan_lightning.losses import ADVERSARIAL_LOSSES, gradient_penalty
from srgan_lightning.training.build import build_datamodule, build_module
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.run import run

GAMES = sorted(ADVERSARIAL_LOSSES)
ADVERSARIAL_ONLY = (
    *("schedule.stages.pixel.steps=0", "schedule.stages.adversarial.steps=2"),
    *("schedule.stages.adversarial.ramp=0", "loss.adversarial.weight=1"),
    *("loss.pixel.weight=0", "loss.content.weight=0", "discriminator.norm=none"),
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:Found .* module", "ignore:.*LeafSpec"
)


class Watch(pl.Callback):
    """Keeps each step's figures and its batch."""

    def __init__(self) -> None:
        self.figures, self.pairs = [], []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.pairs.append(batch)

    def on_train_batch_end(self, trainer, module, *_):
        self.figures.append({name: float(value) for name, value in module.figures.items()})


def fit(values, *, precision="32-true"):
    config = check(TrainConfig, values)
    pl.seed_everything(config.seed, verbose=False)
    datamodule = build_datamodule(config)
    module = build_module(config, values=values, facts={})
    start = copy.deepcopy(module)
    watch = Watch()
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=precision,
        max_epochs=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[watch],
    )
    trainer.fit(module, datamodule)
    return start, module, watch


@pytest.mark.parametrize(
    ("name", "precision"), [*((name, "32-true") for name in GAMES), ("wgan_gp", "bf16-mixed")]
)
def test_both_networks_learn_from_the_game_alone(compose, name, precision):
    values = compose(*ADVERSARIAL_ONLY)
    values["loss"]["adversarial"]["name"] = name
    start, module, watch = fit(values, precision=precision)
    assert module.step == 2
    for network in ("generator", "discriminator"):
        pairs = zip(
            getattr(start, network).named_parameters(),
            getattr(module, network).parameters(),
            strict=True,
        )
        for (parameter, before), after in pairs:
            assert torch.isfinite(after).all(), parameter
            if parameter.endswith("weight"):  # a bias can cancel out of HR's and SR's difference
                assert not torch.equal(before, after), f"{network}.{parameter}"
    assert module.nonfinite.sum() == 0
    for figures in watch.figures:
        assert ("loss/gradient_penalty" in figures) == (name == "wgan_gp")
        assert figures["loss/generator"] == pytest.approx(figures["loss/adversarial"])


def test_the_penaltys_draws_follow_from_the_step(compose):
    values = compose(*ADVERSARIAL_ONLY, "loss.adversarial.name=wgan_gp")
    start, _, watch = fit(values)
    _, _, again = fit(values)
    assert [f["loss/gradient_penalty"] for f in watch.figures] == [
        f["loss/gradient_penalty"] for f in again.figures
    ]
    lr, hr = watch.pairs[0]
    start._begin(start.schedule.at(0))
    with torch.no_grad():
        sr = start.generator(lr)
    expected = 10 * gradient_penalty(start.discriminator, hr, sr, start._draws)
    assert watch.figures[0]["loss/gradient_penalty"] == pytest.approx(expected.item(), rel=1e-5)
    first = start._draws.initial_seed()
    start.step = 1
    start._begin(start.schedule.at(1))
    assert start._draws.initial_seed() != first


@pytest.mark.parametrize("discriminator", ["patchgan", "unet"])
def test_discriminators_with_a_map_of_logits_play_too(compose, discriminator):
    values = compose(*ADVERSARIAL_ONLY, "loss.adversarial.name=relativistic")
    values["discriminator"] = {"name": discriminator, "width": 4}
    start, module, _ = fit(values, precision="bf16-mixed")
    assert module.nonfinite.sum() == 0
    pairs = zip(start.discriminator.parameters(), module.discriminator.parameters(), strict=True)
    assert any(not torch.equal(before, after) for before, after in pairs)
    assert set(module.monitor.read()) == {"d_accuracy/hr", "d_accuracy/sr"}


def test_wgan_gp_resumed_equals_never_stopped(compose, tmp_path: Path):
    """With the U-Net, whose power iterations go on where they were."""
    values = compose(
        *("loss.adversarial.name=wgan_gp", "schedule.stages.pixel.steps=1"),
        "schedule.stages.adversarial.d_steps=2",
    )
    values["discriminator"] = {"name": "unet", "width": 4}
    run(values, folder=tmp_path / "whole")
    values["trainer"]["max_steps"] = 3
    run(values, folder=tmp_path / "stopped")
    values["trainer"]["max_steps"] = None
    run(values, folder=tmp_path / "stopped")
    whole, stopped = (
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "stopped")
    )
    assert whole.keys() == stopped.keys()
    for key, value in whole.items():
        assert torch.equal(value, stopped[key]), key


def test_a_penalty_and_batch_norm_are_refused_before_training(compose):
    values = compose("loss.adversarial.name=wgan_gp")
    with pytest.raises(
        UserError, match=r"^loss\.adversarial: .*BatchNorm.*discriminator\.norm=none"
    ):
        build_module(check(TrainConfig, values), values=values, facts={})
    values["schedule"]["stages"]["adversarial"]["steps"] = 0
    build_module(check(TrainConfig, values), values=values, facts={})


def test_a_compiled_discriminator_can_be_penalised(compose, monkeypatch):
    """Compiled code has no second derivative, so the penalty must not go through it."""
    values = compose(*ADVERSARIAL_ONLY, "loss.adversarial.name=wgan_gp")
    config = check(TrainConfig, values)
    module = build_module(config, values=values, facts={})
    monkeypatch.setattr(module.discriminator, "_compiled_call_impl", compiled_stand_in(module))
    hr = build_datamodule(config).on_after_batch_transfer(
        TrainBatch(torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8), None, 0), 0
    )
    loss = module._discriminator_loss(hr.hr, hr.hr)
    loss.backward()
    assert all(p.grad is not None for p in module.discriminator.parameters())


def compiled_stand_in(module):
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits):
            return logits.clone()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            return gradient

    return lambda image: Once.apply(module.discriminator._call_impl(image))

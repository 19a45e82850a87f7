"""The training step against a bare PyTorch loop, and the traps of manual optimization."""

import copy
import dataclasses
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from srgan_lightning.config import check
from srgan_lightning.precision import autocast
from srgan_lightning.training.build import build_datamodule, build_module
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.run import run


class Collector(pl.Callback):
    """Keeps every pair that reaches the training step, and what the step left behind."""

    def __init__(self) -> None:
        self.pairs, self.rates, self.figures = [], [], []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.pairs.append(batch)

    def on_train_batch_end(self, trainer, module, *_):
        self.rates.append([group["lr"] for o in trainer.optimizers for group in o.param_groups])
        self.figures.append({name: float(value) for name, value in module.figures.items()})


def fit(values, *, precision="32-true"):
    config = check(TrainConfig, values)
    pl.seed_everything(config.seed, verbose=False)
    datamodule = build_datamodule(config)
    module = build_module(config, values=values, facts={})
    start = copy.deepcopy(module)
    collector = Collector()
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
        log_every_n_steps=1,
        callbacks=[collector],
    )
    trainer.fit(module, datamodule)
    return start, module, collector, trainer


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:Found .* module", "ignore:.*LeafSpec"
)


def bare_loop(start, pairs, values, precision):
    """The same arithmetic without any framework: pixel steps, then D and G in turns."""
    generator, discriminator, objective = start.generator, start.discriminator, start.objective
    content_weight, adversarial_weight, pixel_weight = (
        values["loss"][name]["weight"] for name in ("content", "adversarial", "pixel")
    )
    opt_g = torch.optim.Adam(generator.parameters(), fused=True)
    opt_d = torch.optim.Adam(discriminator.parameters(), fused=True)
    pixel_steps = values["schedule"]["stages"]["pixel"]["steps"]
    device = torch.device("cpu")
    for step, (lr, hr) in enumerate(pairs):
        turn = start.schedule.at(step)
        opt_g.param_groups[0]["lr"], opt_d.param_groups[0]["lr"] = turn.lr, turn.lr_discriminator
        if step == pixel_steps:
            opt_g.state.clear()
        if step >= pixel_steps:
            with torch.no_grad(), autocast(precision, device):
                sr = generator(lr)
            with autocast(precision, device):
                loss = objective.adversarial.discriminator(discriminator(hr), discriminator(sr))
            loss.backward()
            opt_d.step()
            opt_d.zero_grad()
        with autocast(precision, device):
            sr = generator(lr)
            loss = objective.pixel(sr, hr)
        if step >= pixel_steps:
            with autocast(precision, device):  # a new context: no cached cast of D before its step
                loss = (
                    pixel_weight * loss
                    + content_weight * objective.content(sr, hr)
                    + turn.ramp
                    * adversarial_weight
                    * objective.adversarial.generator(discriminator(sr), None)
                )
        loss.backward()
        opt_g.step()
        opt_g.zero_grad()
        opt_d.zero_grad()
    return generator, discriminator


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_is_the_bare_loop(compose, precision):
    values = compose(
        "loss.adversarial.weight=0.1", "generator.norm=none", "discriminator.norm=none"
    )
    start, module, collector, _ = fit(values, precision=precision)
    pairs = [(pair.lr, pair.hr) for pair in collector.pairs]
    assert len(pairs) == 10
    generator, discriminator = bare_loop(start, pairs, values, precision)
    for mine, bare in ((module.generator, generator), (module.discriminator, discriminator)):
        for (name, a), b in zip(mine.named_parameters(), bare.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6, msg=name)


def test_each_network_learns_only_in_its_own_step(compose):
    values = compose("schedule.stages.pixel.steps=0", "schedule.stages.adversarial.lr=1e-30")
    values["schedule"]["stages"]["adversarial"]["lr_discriminator"] = 1e-3
    start, module, _, _ = fit(values)
    assert _distance(start.generator, module.generator) < 1e-20
    assert _distance(start.discriminator, module.discriminator) > 0


def test_accumulated_micro_batches_make_the_gradient_of_the_whole_batch(compose):
    options = ("discriminator.norm=none", "data.augment=false", "schedule.stages.pixel.steps=3")
    whole = fit(compose(*options, "data.batch_size=4"))
    parts = fit(compose(*options, "data.batch_size=2", "optim.accumulate=2"))
    for network in ("generator", "discriminator"):
        a, b = getattr(whole[1], network), getattr(parts[1], network)
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-3, atol=2e-5)
    assert _distance(whole[1].generator, whole[0].generator) > 0
    assert [len(pair.hr) for pair in parts[2].pairs] == [4] * 8


def test_several_discriminator_updates_get_crops_of_their_own(compose):
    values = compose("schedule.stages.adversarial.d_steps=3", "schedule.stages.pixel.steps=2")
    _, module, collector, trainer = fit(values)
    assert [len(pair.hr) for pair in collector.pairs] == [2, 2, 6, 6, 6, 6, 6]
    steps = [next(iter(o.state.values()))["step"].item() for o in trainer.optimizers]
    assert steps == [5, 15]
    assert module.step == 7


def test_g_steps_give_the_generator_more_updates(compose):
    values = compose("schedule.stages.adversarial.g_steps=2", "schedule.stages.pixel.steps=0")
    _, _, collector, trainer = fit(values)
    steps = [next(iter(o.state.values()))["step"].item() for o in trainer.optimizers]
    assert steps == [5, 3]
    assert ["loss/discriminator" in f for f in collector.figures] == [True, False] * 2 + [True]


def test_learning_rates_are_really_set(compose):
    values = compose("schedule.stages.adversarial.lr_discriminator=3e-4")
    _, module, collector, _ = fit(values)
    turns = [module.schedule.at(step) for step in range(10)]
    assert [rates[0] for rates in collector.rates] == [turn.lr for turn in turns]
    assert [rates[1] for rates in collector.rates[5:]] == [t.lr_discriminator for t in turns[5:]]
    assert turns[5].lr_discriminator == pytest.approx(turns[5].lr * 1.5)


def test_gradients_are_clipped_after_their_norm_is_told(compose):
    free = fit(compose("schedule.stages.adversarial.steps=0"))
    tight = fit(compose("schedule.stages.adversarial.steps=0", "optim.clip_norm=1e-8"))
    name = "gradient_norm/generator"
    assert free[2].figures[0][name] == tight[2].figures[0][name] > 1e-3
    assert _distance(tight[0].generator, tight[1].generator) < _distance(
        free[0].generator, free[1].generator
    )


def test_the_vgg_is_outside_the_tree_and_stays_in_evaluation_mode(compose):
    _, module, _, _ = fit(compose())
    assert not any("content" in key or "features.net" in key for key in module.state_dict())
    assert not any(p is q for p in module.parameters() for q in module.objective.parameters())
    module.train()
    module.objective.train()
    assert not any(m.training for m in module.objective.content.features.modules())


def test_a_pixel_run_has_no_discriminator_and_loads_no_vgg(compose):
    values = compose(
        "schedule.stages.adversarial.steps=0", "loss.content.features.weights=/no/such/file.pth"
    )
    _, module, _, trainer = fit(values)
    assert module.discriminator is None
    assert len(trainer.optimizers) == 1


def test_compiled_networks_keep_their_keys(compose):
    plain = build_module(check(TrainConfig, compose()), values=compose(), facts={})
    values = compose("trainer.compile=true")
    compiled = build_module(check(TrainConfig, values), values=values, facts={})
    assert list(compiled.state_dict()) == list(plain.state_dict())


@pytest.mark.filterwarnings("default")
def test_training_stops_after_many_nonfinite_updates(compose, tmp_path: Path):
    from srgan_lightning.errors import UserError
    from srgan_lightning.networks.weights import load_generator

    values = compose("schedule.stages.pixel.steps=40", "optim.max_nonfinite=3")
    config = check(TrainConfig, values)
    module = build_module(config, values=values, facts={})
    assert dataclasses.is_dataclass(module.schedule.at(0))
    values["schedule"]["stages"]["pixel"]["lr"] = 1e38
    with pytest.raises(UserError, match=r"3 updates in a row had a non-finite gradient"):
        run(values, folder=tmp_path)
    generator, _ = load_generator(tmp_path / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(p).all() for p in generator.parameters())


def _distance(a: torch.nn.Module, b: torch.nn.Module) -> float:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return sum(float((p - q).detach().abs().sum()) for p, q in pairs)

"""Training on a GPU: the CPU's values, float16 with scaling, no waiting for the device."""

import math

import pytest
import pytorch_lightning as pl
import torch

from srgan_lightning.config import check
from srgan_lightning.config import compose as compose_config
from srgan_lightning.precision import resolve_precision
from srgan_lightning.training.build import (
    build_datamodule,
    build_module,
    build_trainer,
    quiet_lightning,
)
from srgan_lightning.training.config import TrainConfig
from srgan_lightning.training.progress import Figures

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
WITHOUT_DRAWS = ("data.augment=false", "degradation.quantize=false")  # the devices' draws differ


class Recorder(pl.Callback):
    """Keeps the figures of every step."""

    def __init__(self):
        self.figures = []

    def on_train_batch_end(self, trainer, module, *_):
        self.figures.append({name: float(value) for name, value in module.figures.items()})


class SyncAlarm(pl.Callback):
    """Makes every wait for the device an error, from the batch's arrival to the step's end."""

    def __init__(self, datamodule, *, after):
        self.after = after
        self.guarded = 0
        transfer = datamodule.on_after_batch_transfer

        def watched(batch, dataloader_idx):
            self.watch(self.steps >= after)
            return transfer(batch, dataloader_idx)

        self.steps = 0
        datamodule.on_after_batch_transfer = watched

    def watch(self, on):
        torch.cuda.set_sync_debug_mode("error" if on else "default")

    def on_train_batch_end(self, *_):
        self.watch(False)
        self.guarded += self.steps >= self.after
        self.steps += 1

    def on_exception(self, *_):
        self.watch(False)


def fit(values, accelerator, *, callbacks=None):
    values["trainer"]["accelerator"] = {"cuda": "gpu"}.get(accelerator, accelerator)
    config = check(TrainConfig, values)
    resolved = resolve_precision(config.trainer.precision, torch.device(accelerator))
    pl.seed_everything(config.seed, verbose=False)
    datamodule = build_datamodule(config, channels_last=resolved.channels_last)
    module = build_module(config, values=values, facts={})
    module.to(memory_format=resolved.memory_format)
    with quiet_lightning():
        recorders = [Recorder()] if callbacks is None else callbacks(datamodule)
        trainer = build_trainer(config, resolved, loggers=[], callbacks=recorders)
        trainer.fit(module, datamodule)
    return module, recorders, trainer


def without_validation(compose, *overrides):
    return compose("trainer.val_every_n_steps=0", *overrides)


@pytest.fixture
def _exact_float32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.mark.usefixtures("_exact_float32")
def test_both_stages_give_the_cpus_figures(compose):
    told = {}
    for accelerator in ("cpu", "cuda"):
        values = without_validation(compose, *WITHOUT_DRAWS)
        _, (recorder,), _ = fit(values, accelerator)
        told[accelerator] = recorder.figures
    assert len(told["cuda"]) == 10
    for on_cpu, on_cuda in zip(told["cpu"], told["cuda"], strict=True):
        assert on_cuda == pytest.approx(on_cpu, rel=1e-2)


def test_float16_trains_and_tells_unscaled_gradients(compose):
    overrides = (
        *WITHOUT_DRAWS,
        "schedule.stages.pixel.steps=60",
        "schedule.stages.adversarial.steps=0",
        "trainer.overfit=true",
    )
    exact = without_validation(compose, *overrides, "trainer.max_steps=1")
    _, (reference,), _ = fit(exact, "cpu")
    half = without_validation(compose, *overrides, "trainer.precision=16-mixed")
    module, (recorder,), trainer = fit(half, "cuda")
    assert trainer.precision_plugin.scaler is not None
    norms = [figures["gradient_norm/generator"] for figures in recorder.figures]
    first = next(norm for norm in norms if math.isfinite(norm))  # overflows lower the scale before
    assert first == pytest.approx(reference.figures[0]["gradient_norm/generator"], rel=0.05)
    losses = [figures["loss/generator"] for figures in recorder.figures]
    assert losses[-1] < losses[0]
    assert all(torch.isfinite(p).all() for p in module.parameters())


def test_float16_plays_the_adversarial_game(compose):
    values = without_validation(
        compose, "schedule.stages.adversarial.steps=40", "trainer.precision=16-mixed"
    )
    module, (recorder,), _ = fit(values, "cuda")
    longest_row = float(module.nonfinite[:, 1].max())
    assert longest_row < 20
    assert math.isfinite(recorder.figures[-1]["loss/discriminator"])
    assert all(torch.isfinite(p).all() for p in module.parameters())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_nothing_waits_for_the_device_from_crops_to_weights(compose, precision, norm):
    def callbacks(datamodule):
        figures = Figures(every_n_steps=4, batch_size=2, max_nonfinite=20)
        return [SyncAlarm(datamodule, after=2), figures]  # reads only when the alarm is off

    values = without_validation(
        compose, f"trainer.precision={precision}", f"generator.norm={norm}", "optim.clip_norm=1"
    )
    _, (alarm, _), _ = fit(values, "cuda", callbacks=callbacks)
    assert alarm.guarded == 8


def test_a_nonfinite_gradient_is_skipped_on_the_device(compose):
    values = without_validation(compose, "schedule.stages.adversarial.steps=0")
    values["schedule"]["stages"]["pixel"]["lr"] = 1e38
    module, _, _ = fit(values, "cuda")
    assert float(module.nonfinite[:, 2].sum()) > 0
    assert all(torch.isfinite(p).all() for p in module.generator.parameters())


def test_the_papers_step_tells_its_peak_memory(capsys):
    values = compose_config(
        [
            "experiment=srgan",
            "loss.content.features.weights=random",
            "schedule.stages.pixel.steps=0",
            "trainer.max_steps=3",
            "trainer.val_every_n_steps=0",
        ]
    )
    torch.cuda.reset_peak_memory_stats()
    fit(values, "cuda")
    peak = torch.cuda.max_memory_allocated() / 2**30
    with capsys.disabled():
        print(f"\npeak memory of the paper's GAN step, batch 16 of 96 px: {peak:.2f} GiB")
    assert 0 < peak < 16

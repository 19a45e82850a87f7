"""The training step: Ledig et al. 2017, section 2, as a LightningModule."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import MetricCollection

from srgan_lightning.data.batches import Pair
from srgan_lightning.data.seeds import Stream, derive_seed
from srgan_lightning.errors import UserError
from srgan_lightning.metrics import PSNR, SSIM, Sharpness
from srgan_lightning.networks.base import Discriminator, Generator
from srgan_lightning.networks.weights import CHECKPOINT_VERSION
from srgan_lightning.training.ema import ExponentialMovingAverage
from srgan_lightning.training.monitor import StabilityMonitor
from srgan_lightning.training.objective import GeneratorObjective
from srgan_lightning.training.optimizers import (
    OptimConfig,
    build_optimizer,
    guard_step,
    set_learning_rate,
)
from srgan_lightning.training.schedule import Schedule, Turn
from srgan_lightning.training.state import migrate

NETWORKS = ("generator", "discriminator")
LOW_PRECISION = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class SRGANModule(pl.LightningModule):
    """Trains a generator, first on pixels, then against a discriminator.

    One Lightning batch is one generator step, always: it brings as many crops as the step needs
    (micro-batches to accumulate, updates of the discriminator). `step` counts them; schedule,
    draws and data order are functions of it, so it is all that a resumed run has to know besides
    weights and optimizers.

    Args:
        generator: LR → SR.
        discriminator: picture → logits; None for a run without an adversarial stage.
        objective: the losses; not a part of this module's tree.
        schedule: what each step does.
        optim: optimizers, clipping, accumulation, EMA.
        crop: pixels left out at each border by the validation metrics.
        seed: of the draws that a loss makes.
        record: plain containers that travel inside the checkpoint (config, facts).

    Attributes:
        accumulating: whether further micro-batches of the same update follow the one at hand.

    Raises:
        UserError: a critic (see `AdversarialLoss.critic`) with BatchNorm.
    """

    def __init__(
        self,
        *,
        generator: Generator,
        discriminator: Discriminator | None,
        objective: GeneratorObjective,
        schedule: Schedule,
        optim: OptimConfig,
        crop: int,
        seed: int,
        record: Mapping[str, Any],
    ) -> None:
        super().__init__()
        if discriminator is not None and objective.adversarial.critic:
            _refuse_batch_norm(discriminator)
        self.automatic_optimization = False
        self.generator = generator
        self.discriminator = discriminator
        self.ema = ExponentialMovingAverage(generator, decay=optim.ema_decay)
        self._outside = (objective,)
        self.schedule = schedule
        self.optim = optim
        self.seed = seed
        self.record = dict(record)
        self.monitor = StabilityMonitor(critic=objective.adversarial.critic)
        self.metrics = MetricCollection(
            {"psnr": PSNR(crop=crop), "ssim": SSIM(crop=crop), "sharpness": Sharpness(crop=crop)},
            compute_groups=False,
            prefix="val/",
        )
        self.step = 0
        self.accumulating = False
        self.figures: dict[str, Tensor] = {}
        self.validation: dict[str, float] = {}
        self.nonfinite = torch.zeros(len(NETWORKS), 3)
        self._draws: torch.Generator | None = None

    @property
    def objective(self) -> GeneratorObjective:
        """The generator's losses."""
        return self._outside[0]

    def forward(self, lr: Tensor) -> Tensor:
        """Enlarge LR `[B, 3, H, W]` with the averaged generator."""
        sr: Tensor = self.ema(lr)
        return sr

    def training_step(self, batch: Pair, batch_idx: int) -> None:
        """Make one generator step, after the discriminator's updates that belong to it."""
        turn = self.schedule.at(self.step)
        size = self.optim.accumulate
        parts = batch.split(max(1, turn.d_updates) * size)
        *earlier, pairs = [parts[i : i + size] for i in range(0, len(parts), size)]
        self._begin(turn)

        for micro_batches in earlier:
            self._discriminator_step(micro_batches, turn, sr=None)
        sr = self.generator(pairs[0].lr) if size == 1 else None  # one forward for both networks
        if turn.d_updates:
            self._discriminator_step(pairs, turn, sr=sr)
        self._generator_step(pairs, turn, sr=sr)

        self.ema.update(self.generator, step=self.step)
        self.step += 1

    def _discriminator_step(self, pairs: Sequence[Pair], turn: Turn, *, sr: Tensor | None) -> None:
        """max_D: log D(HR) + log(1 − D(G(LR))) (equation 2, its first half)."""
        with self.toggled_optimizer(self._optimizer("discriminator")):
            for number, pair in enumerate(pairs, start=1):
                with torch.no_grad():
                    fake = self.generator(pair.lr) if sr is None else sr.detach()
                loss = self._discriminator_loss(fake, pair.hr)
                self._backward(loss, number, len(pairs))
            self.figures["loss/discriminator"] = loss.detach()
            self._update("discriminator", turn.lr_discriminator)

    def _discriminator_loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        assert self.discriminator is not None
        adversarial = self.objective.adversarial
        logits_hr, logits_sr = self.discriminator(hr), self.discriminator(sr)
        self.monitor.update(*adversarial.margins(logits_hr.detach(), logits_sr.detach()))
        loss = adversarial.discriminator(logits_hr, logits_sr)
        eager = self.discriminator.forward  # what is compiled has no second derivative
        penalty = adversarial.penalty(eager, hr, sr, self._draws)
        if penalty is None:
            return loss
        self.figures["loss/gradient_penalty"] = penalty.detach()
        return loss + penalty

    def _generator_step(self, pairs: Sequence[Pair], turn: Turn, *, sr: Tensor | None) -> None:
        """min_G: l_content + 1e-3 l_adversarial (equation 3), or the pixel loss alone."""
        with self.toggled_optimizer(self._optimizer("generator")):
            for number, pair in enumerate(pairs, start=1):
                fake = self.generator(pair.lr) if sr is None else sr
                terms = self.objective.reconstruction(fake, pair.hr, adversarial=turn.adversarial)
                if turn.adversarial:
                    terms["adversarial"] = self._adversarial_term(fake, pair.hr)
                loss = self.objective.total(terms, adversarial=turn.adversarial, ramp=turn.ramp)
                self._backward(loss, number, len(pairs))
            self.figures["loss/generator"] = loss.detach()
            for name, term in terms.items():
                self.figures[f"loss/{name}"] = term.detach()
            self._update("generator", turn.lr)

    def _adversarial_term(self, sr: Tensor, hr: Tensor) -> Tensor:
        assert self.discriminator is not None
        adversarial = self.objective.adversarial
        logits_hr = self.discriminator(hr) if adversarial.needs_hr_logits_for_generator else None
        return adversarial.generator(self.discriminator(sr), logits_hr)

    def _backward(self, loss: Tensor, number: int, count: int) -> None:
        """Add the gradient of micro-batch `number` of `count` to the mean over all of them."""
        self.accumulating = number < count
        self.manual_backward(loss / count)

    def _begin(self, turn: Turn) -> None:
        """Start a step's figures and draws; a new stage's losses deserve new moments."""
        self.figures = {}
        seed = derive_seed(self.seed, Stream.PENALTY, self.global_rank, self.step)
        self._draws = torch.Generator(self.device).manual_seed(seed)
        if turn.fresh:
            self._optimizer("generator").state.clear()

    def _update(self, network: str, lr: float) -> None:
        """Clip and apply a network's gradients; a non-finite gradient applies nothing."""
        optimizer = self._optimizer(network)
        set_learning_rate(optimizer, getattr(self.optim, network), lr)
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            scaler.unscale_(optimizer)
        norm, skipped = guard_step(optimizer, clip_norm=self.optim.clip_norm)
        self._lightning_optimizer(network).step()
        optimizer.zero_grad(set_to_none=True)
        self.figures[f"gradient_norm/{network}"] = norm
        self._count_nonfinite(network, skipped)

    def _count_nonfinite(self, network: str, skipped: Tensor) -> None:
        """Keep a network's skipped updates in a row, their longest run and sum, on the device."""
        counts = self.nonfinite[NETWORKS.index(network)]
        row = (counts[0] + 1) * skipped
        counts.copy_(torch.stack((row, torch.maximum(row, counts[1]), counts[2] + skipped)))

    def _optimizer(self, network: str) -> Optimizer:
        return self.trainer.optimizers[NETWORKS.index(network)]

    def _lightning_optimizer(self, network: str) -> Any:
        optimizers = self.optimizers()
        if not isinstance(optimizers, list):
            return optimizers
        return optimizers[NETWORKS.index(network)]

    def configure_optimizers(self) -> list[Optimizer]:
        """Build the generator's optimizer and, for an adversarial run, the discriminator's."""
        optimizers = [build_optimizer(self.optim.generator, self.generator)]
        if self.discriminator is not None:
            optimizers.append(build_optimizer(self.optim.discriminator, self.discriminator))
        return optimizers

    def on_fit_start(self) -> None:
        """Move what lies outside the module's tree."""
        self.objective.to(self.device)
        content, autocast = self.objective.content, LOW_PRECISION.get(self.trainer.precision)
        if content is not None and autocast is not None:
            content.features.features.to(autocast)  # frozen: cast once, not at every use
        self.nonfinite = self.nonfinite.to(self.device)

    def validation_step(self, batch: Pair, batch_idx: int) -> None:
        """Compare the averaged generator's SR with HR by the protocol's metrics."""
        self.metrics.update(self(batch.lr).float(), batch.hr)

    def on_validation_epoch_end(self) -> None:
        """Publish the means for loggers, checkpoints and the progress bar."""
        self.validation = {name: float(value) for name, value in self.metrics.compute().items()}
        self.metrics.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the format's version, the config, the facts and the step counter."""
        checkpoint["srgan_lightning"] = {
            "format_version": CHECKPOINT_VERSION,
            **self.record,
            "step": self.step,
            "nonfinite": self.nonfinite.tolist(),
            "validation": dict(self.validation),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the step counter and start the data there.

        Raises:
            UserError: the run had a discriminator and this config wants none.
        """
        own = migrate(checkpoint)
        had = any(name.startswith("discriminator.") for name in checkpoint["state_dict"])
        if had and self.discriminator is None:
            raise UserError(
                "schedule.stages: the run to be resumed has an adversarial stage, unlike this "
                "config; start a new run (init_from=CHECKPOINT takes its weights)"
            )
        if not had and self.discriminator is not None:  # the run ended before it was needed
            fresh = self.discriminator.state_dict(prefix="discriminator.")
            checkpoint["state_dict"] = {**checkpoint["state_dict"], **fresh}
        self.step = own["step"]
        self.nonfinite = torch.tensor(own["nonfinite"], device=self.device)
        self.nonfinite[:, :2] = 0  # the checkpoint is good, whatever came after it
        self.validation = own["validation"]
        if self._trainer is not None:
            self.trainer.datamodule.start_step = self.step  # type: ignore[attr-defined]
            if self.step < self.schedule.total:  # so that a finished run can be trained longer
                loops = checkpoint["loops"]["fit_loop"]
                loops["epoch_loop.batch_progress"]["is_last_batch"] = False


def _refuse_batch_norm(discriminator: nn.Module) -> None:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
    if any(isinstance(module, kinds) for module in discriminator.modules()):
        raise UserError(
            "loss.adversarial: a gradient penalty is not defined for a discriminator with "
            "BatchNorm, whose answer to one image depends on the others; add "
            "discriminator.norm=none, or take a discriminator without BatchNorm"
        )

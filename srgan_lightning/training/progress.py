"""What a user sees while training runs: a bar, and figures for the loggers."""

import sys
import time
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from srgan_lightning.errors import UserError
from srgan_lightning.training.module import NETWORKS, SRGANModule


class Diverged(UserError):  # noqa: N818 - a result
    """Training itself failed: its objective is NaN, and going on would only fail again."""


class Figures(pl.Callback):
    """Reads the step's figures from the device now and then, and hands them to the loggers.

    This is the only place where training waits for the device, so the rarer the readings, the
    fewer the waits. The x axis of everything logged is the generator step.

    Args:
        every_n_steps: generator steps between two readings.
        batch_size: crops of one generator update on one device.
        max_nonfinite: skipped updates in a row that end the run.
    """

    def __init__(self, *, every_n_steps: int, batch_size: int, max_nonfinite: int) -> None:
        self.every_n_steps = every_n_steps
        self.batch_size = batch_size
        self.max_nonfinite = max_nonfinite
        self.latest: dict[str, float] = {}
        self._since = (0.0, 0)

    def on_train_start(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Start the clock."""
        self._since = (time.perf_counter(), module.step)

    def on_train_batch_end(self, trainer: pl.Trainer, module: SRGANModule, *_: object) -> None:
        """Read and log, every so many generator steps and at the run's end."""
        step = module.step
        if step % self.every_n_steps and step != module.schedule.total:
            return
        figures = {name: float(value) for name, value in module.figures.items()}
        figures |= module.monitor.read()
        turn = module.schedule.at(step - 1)
        figures["lr/generator"] = turn.lr
        if turn.adversarial:
            figures["lr/discriminator"] = turn.lr_discriminator
        figures |= self._throughput(trainer, step)
        worst = 0.0
        for network, (_, longest, total) in zip(NETWORKS, module.nonfinite.tolist(), strict=True):
            worst = max(worst, longest)
            figures[f"skipped_updates/{network}"] = total
        self.latest |= figures
        for logger in trainer.loggers:
            logger.log_metrics(figures, step)
        if warning := module.monitor.judge(figures):
            say(trainer, f"step {step}: {warning}")
        if worst >= self.max_nonfinite:
            raise Diverged(
                f"step {step}: {worst:.0f} updates in a row had a non-finite gradient, training "
                "has diverged; lower the learning rate (schedule.stages.NAME.lr), clip gradients "
                "(optim.clip_norm=1) or use trainer.precision=32-true; the last checkpoint is good"
            )

    def on_validation_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Log the validation's figures."""
        if not trainer.sanity_checking:
            self.latest |= module.validation
            for logger in trainer.loggers:
                logger.log_metrics(dict(module.validation), module.step)

    def _throughput(self, trainer: pl.Trainer, step: int) -> dict[str, float]:
        then, since = self._since
        now = time.perf_counter()
        self._since = (now, step)
        if step == since:
            return {}
        images = (step - since) * self.batch_size * trainer.world_size
        return {"images_per_second": images / (now - then)}


class ProgressBar(pl.Callback):
    """One bar for the whole run: stage, both losses, PSNR, images/s and remaining time.

    Where the output is no terminal, a line is printed instead, every so often.

    Args:
        figures: where the latest figures are.
        console: where to draw.
        seconds_between_lines: how often to print where there is no terminal.
    """

    SHOWN = (
        ("loss/generator", "G {:.4g}"),
        ("loss/discriminator", "D {:.3f}"),
        ("val/psnr", "PSNR {:.2f} dB"),
        ("images_per_second", "{:.1f} images/s"),
    )

    def __init__(
        self, figures: Figures, *, console: Console, seconds_between_lines: float = 15.0
    ) -> None:
        self.figures = figures
        self.console = console
        self.seconds_between_lines = seconds_between_lines
        self._bar: Progress | None = None
        self._task: Any = None
        self._printed = (0.0, 0)

    def on_train_start(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Draw the bar."""
        self._printed = (time.monotonic(), module.step)
        if not trainer.is_global_zero or not self.console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("[bold]{task.fields[stage]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task(
            "train", total=module.schedule.total, completed=module.step, stage="", figures=""
        )
        self._bar.start()

    def on_train_batch_end(self, trainer: pl.Trainer, module: SRGANModule, *_: object) -> None:
        """Move on."""
        if not trainer.is_global_zero:
            return
        stage = module.schedule.at(module.step - 1).stage
        if self._bar is not None:
            self._bar.update(
                self._task, completed=module.step, stage=stage, figures=self.describe()
            )
            return
        (then, since), now, total = self._printed, time.monotonic(), module.schedule.total
        if now - then < self.seconds_between_lines and module.step < total:
            return
        self._printed = (now, module.step)  # stages differ in speed: the latest one counts
        left = (now - then) / (module.step - since) * (total - module.step)
        line = f"{stage} {module.step}/{total}  {self.describe()}  {_clock(left)} left"
        self.console.print(line, highlight=False, soft_wrap=True)

    def describe(self) -> str:
        """Put the latest figures into words."""
        latest = self.figures.latest
        return "  ".join(form.format(latest[name]) for name, form in self.SHOWN if name in latest)

    def on_train_end(self, trainer: pl.Trainer, module: SRGANModule) -> None:
        """Leave the bar standing."""
        self._stop()

    def on_exception(
        self, trainer: pl.Trainer, module: SRGANModule, exception: BaseException
    ) -> None:
        """Leave the bar standing, so that the message comes below it."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def say(trainer: pl.Trainer, message: str) -> None:
    """Print a warning for the user, once, above the bar."""
    if trainer.is_global_zero:
        print(f"warning: {message}", file=sys.stderr)  # noqa: T201


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"

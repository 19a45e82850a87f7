"""What share of training goes into making LR images on the device?

Flips, turns and each degradation, at its defaults, on a batch of 16 crops of 96 pixels, in turns
with the paper's GAN step (SRResNet-16, its discriminator, VGG19 relu5_4) at `precision=auto`. The
step gets LR images that are there already.
"""

from typing import Annotated

import torch
import typer
from contest import console, contest, goal, machine, table
from gan_step import PAPER, WARM_UP, Framework, compose_gan, now, random_batch

from srgan_lightning.config import check
from srgan_lightning.data.batches import TrainBatch
from srgan_lightning.precision import resolve_device, resolve_precision
from srgan_lightning.training.build import build_datamodule
from srgan_lightning.training.config import TrainConfig

GOAL = 0.05
DEFAULT = "blur_bicubic"


def main(
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed GAN steps a turn")] = 2,
    batches: Annotated[int, typer.Option(help="degraded batches a turn")] = 20,
) -> None:
    """Compare the degradations' time with a GAN step's."""
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    values = compose_gan(*PAPER)
    batch = random_batch(values, paired=True)
    framework = Framework(values, resolved=resolved, batch=batch)
    contenders = {
        name: Degrading(name, batch, device, channels_last=resolved.channels_last)
        for name in (DEFAULT, "bicubic", "classical")
    }
    times = contest(
        {
            "GAN step": lambda: framework.seconds(steps),
            **{n: lambda c=c: c.seconds(batches) for n, c in contenders.items()},
        },
        rounds=rounds,
    )
    result = table(
        f"Degradation against the GAN step, {resolved.precision} ({machine(device)})",
        "",
        "ms a batch",
        "share of the step",
    )
    result.add_row("GAN step", f"{1e3 * times.median('GAN step'):.1f}", "")
    for name in contenders:
        result.add_row(
            name, f"{1e3 * times.median(name):.1f}", f"{1 / times.ratio('GAN step', name):.2%}"
        )
    console.print(result)
    share = 1 / times.ratio("GAN step", DEFAULT)
    console.print(goal(share <= GOAL, f"{DEFAULT} ≤ {GOAL:.0%}"))


class Degrading:
    """The datamodule's work on the device: flips, turns, a degradation.

    Args:
        name: the degradation.
        batch: its HR crops are degraded.
        device: where.
        channels_last: the memory format of what is handed out.
    """

    def __init__(
        self, name: str, batch: TrainBatch, device: torch.device, *, channels_last: bool
    ) -> None:
        config = check(TrainConfig, compose_gan(*PAPER, f"degradation={name}"))
        self.prepare = build_datamodule(config, channels_last=channels_last).on_after_batch_transfer
        self.batch = TrainBatch(batch.hr.to(device), None, 0)

    def seconds(self, batches: int) -> float:
        """Degrade some batches; returns the seconds of one."""
        for index in range(WARM_UP + batches):
            if index == WARM_UP:
                started = now()
            self.prepare(self.batch, 0)
        return (now() - started) / batches


if __name__ == "__main__":
    typer.run(main)

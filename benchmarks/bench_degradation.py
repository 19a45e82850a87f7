"""What share of training goes into making LR images on the device?

Flips, turns and each degradation, at its defaults, in turns with the GAN step of the recipe that
it feeds, at `precision=auto`: the SRGAN paper's (SRResNet-16, its discriminator, VGG19 relu5_4, 16
crops of 96 pixels), or Real-ESRGAN's (RRDBNet-23, the U-Net, five maps of VGG19, crops of 256
pixels; on a CPU with `--batch-size 1`). The step gets LR images that are there already.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
import typer
from contest import console, contest, goal, machine, table
from gan_step import WARM_UP, Framework, compose_gan, now, random_batch

from srgan_lightning.config import check
from srgan_lightning.data.batches import TrainBatch
from srgan_lightning.precision import resolve_device, resolve_precision
from srgan_lightning.training.build import build_datamodule
from srgan_lightning.training.config import TrainConfig

Recipe = Literal["srgan", "real_esrgan"]
DEGRADATIONS = {  # the first one has the goal
    "srgan": ("blur_bicubic", "bicubic", "classical"),
    "real_esrgan": ("realesrgan",),
}
GOALS = {"srgan": 0.05, "real_esrgan": 0.10}


def main(
    recipe: Annotated[Recipe, typer.Option(help="whose GAN step")] = "srgan",
    batch_size: Annotated[int | None, typer.Option(help="crops, if not the recipe's")] = None,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed GAN steps a turn")] = 2,
    batches: Annotated[int, typer.Option(help="degraded batches a turn")] = 20,
) -> None:
    """Compare the degradations' time with a GAN step's."""
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    overrides = [f"experiment={recipe}", "loss.content.features.weights=random"]
    if batch_size is not None:
        overrides.append(f"data.batch_size={batch_size}")
    values = compose_gan(*overrides)
    batch = random_batch(values, paired=True)
    framework = Framework(values, resolved=resolved, batch=batch)
    contenders = {
        name: Degrading(
            compose_gan(*overrides, f"degradation={name}"),
            batch,
            device,
            channels_last=resolved.channels_last,
        )
        for name in DEGRADATIONS[recipe]
    }
    times = contest(
        {
            "GAN step": lambda: framework.seconds(steps),
            **{n: lambda c=c: c.seconds(batches) for n, c in contenders.items()},
        },
        rounds=rounds,
    )
    result = table(
        f"Degradation against the GAN step of {recipe}, batch {len(batch.hr)}, "
        f"{resolved.precision} ({machine(device)})",
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
    judged, limit = DEGRADATIONS[recipe][0], GOALS[recipe]
    share = 1 / times.ratio("GAN step", judged)
    console.print(goal(share <= limit, f"{judged} ≤ {limit:.0%}"))


class Degrading:
    """The datamodule's work on the device: flips, turns, a degradation.

    Args:
        values: a run's config, whose degradation is used.
        batch: its HR crops are degraded.
        device: where.
        channels_last: the memory format of what is handed out.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        batch: TrainBatch,
        device: torch.device,
        *,
        channels_last: bool,
    ) -> None:
        config = check(TrainConfig, values)
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

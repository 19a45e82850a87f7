"""How fast is training here, and how fast is it with BasicSR?

Both train the same networks on the same batch with the same losses, from the same weights:
BasicSR's MSRResNet and VGGStyleDiscriminator, L1, VGG19 conv5_4 and vanilla GAN loss, 16 crops of
128 pixels. BasicSR uses its own SRGANModel, this project its own module, Trainer and
`precision=auto`; they take turns. BasicSR comes from a checkout: clone XPixelGroup/BasicSR from
GitHub and name the folder in `--basicsr`; nothing of it has to be installed.
"""

from pathlib import Path
from typing import Annotated

import typer
from basicsr_opponent import OURS, BasicSR, first_losses, import_basicsr
from contest import console, contest, goal, machine, table
from gan_step import Framework, compose_gan, random_batch

from srgan_lightning.precision import resolve_device, resolve_precision

GOAL = 4.0  # on a CPU that is fast at bf16


def main(
    basicsr: Annotated[Path | None, typer.Option(help="a checkout of BasicSR")] = None,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed steps a turn")] = 2,
) -> None:
    """Compare training here with BasicSR's."""
    if basicsr is None:
        console.print("needs an opponent: give a checkout of XPixelGroup/BasicSR in --basicsr")
        return
    import_basicsr(basicsr)
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    values = compose_gan(*OURS)
    values["generator"], values["discriminator"] = {"name": "msrresnet"}, {"name": "vgg_style"}
    batch = random_batch(values, paired=True)
    framework = Framework(values, resolved=resolved, batch=batch)
    opponent = BasicSR(framework, device)
    ours_first = first_losses(framework)
    times = contest(
        {
            "BasicSR": lambda: opponent.seconds(steps),
            "srgan_lightning": lambda: framework.seconds(steps),
        },
        rounds=rounds,
    )
    ratio = times.ratio("BasicSR", "srgan_lightning")
    result = table(
        f"GAN step ({machine(device)})",
        "",
        "precision",
        "first pixel loss",
        "first content loss",
        "images/s",
        "ratio",
    )
    for name, precision, first, shown in (
        ("BasicSR", "32-true", opponent.first, "1"),
        ("srgan_lightning", resolved.precision, ours_first, f"{ratio:.2f}"),
    ):
        result.add_row(
            name,
            precision,
            f"{first['l_g_pix']:.6f}",
            f"{first['l_g_percep']:.6f}",
            f"{len(batch.hr) / times.median(name):.2f}",
            shown,
        )
    console.print(result)
    console.print(goal(ratio >= GOAL, f"≥ {GOAL:.0f}"))


if __name__ == "__main__":
    typer.run(main)

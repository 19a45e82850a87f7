"""What does `trainer.precision=auto` bring?

The paper's GAN step (SRResNet-16, its discriminator, VGG19 relu5_4, 16 crops of 96 pixels) in what
`auto` resolves to on this machine, precision and memory format, takes turns with the same step in
plain float32 and contiguous memory.
"""

from typing import Annotated

import typer
from contest import console, contest, goal, machine, table
from gan_step import PAPER, Framework, compose_gan, random_batch

from srgan_lightning.precision import Resolved, resolve_device, resolve_precision

GOAL = 2.5  # on a CPU that is fast at bf16


def main(
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed steps a turn")] = 2,
) -> None:
    """Compare what auto resolves to with plain float32."""
    device = resolve_device()
    auto = resolve_precision("auto", device)
    plain = Resolved("32-true", False, "plain")
    values = compose_gan(*PAPER)
    batch = random_batch(values, paired=False)
    contenders = {
        name: Framework(values, resolved=resolved, batch=batch)
        for name, resolved in (("plain", plain), ("auto", auto))
    }
    times = contest(
        {name: lambda c=contender: c.seconds(steps) for name, contender in contenders.items()},
        rounds=rounds,
    )
    ratio = times.ratio("plain", "auto")
    result = table(f"GAN step ({machine(device)})", "precision", "memory", "images/s", "ratio")
    for name, resolved in (("plain", plain), ("auto", auto)):
        result.add_row(
            resolved.precision,
            "channels_last" if resolved.channels_last else "contiguous",
            f"{len(batch.hr) / times.median(name):.2f}",
            "1" if name == "plain" else f"{ratio:.2f}",
        )
    console.print(result)
    console.print(f"auto: {auto.reason}")
    console.print(goal(ratio >= GOAL, f"≥ {GOAL}"))


if __name__ == "__main__":
    typer.run(main)

"""What does `trainer.precision=auto` bring?

The paper's GAN step (SRResNet-16, its discriminator, VGG19 relu5_4, 16 crops of 96 pixels) as
`srgan train` runs it on this machine (precision, memory format, allocator) takes turns with the
same step as PyTorch comes: float32, contiguous memory, the allocator untouched. Each has a process
of its own.
"""

from typing import Annotated

import typer
from alone import Alone
from contest import console, contest, goal, machine, table
from gan_step import PAPER, Framework, compose_gan, random_batch

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.precision import Resolved, resolve_device, resolve_precision

GOAL = 2.5  # on a CPU that is fast at bf16
PLAIN = Resolved("32-true", False, "plain")


def build(name: str) -> Framework:
    """Make a contender ready, in its own process."""
    resolved = PLAIN
    if name == "auto":
        resolved = resolve_precision("auto", resolve_device())
        keep_freed_memory()
    values = compose_gan(*PAPER)
    return Framework(values, resolved=resolved, batch=random_batch(values, paired=False))


def main(
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed steps a turn")] = 2,
) -> None:
    """Compare what auto resolves to with plain float32."""
    device = resolve_device()
    auto = resolve_precision("auto", device)
    contenders = {name: Alone(build, name) for name in ("plain", "auto")}
    times = contest(
        {
            name: lambda c=contender: c.ask(Framework.seconds, steps)
            for name, contender in contenders.items()
        },
        rounds=rounds,
    )
    ratio = times.ratio("plain", "auto")
    batch_size = compose_gan(*PAPER)["data"]["batch_size"]
    result = table(f"GAN step ({machine(device)})", "precision", "memory", "images/s", "ratio")
    for name, resolved in (("plain", PLAIN), ("auto", auto)):
        result.add_row(
            resolved.precision,
            "channels_last" if resolved.channels_last else "contiguous",
            f"{batch_size / times.median(name):.2f}",
            "1" if name == "plain" else f"{ratio:.2f}",
        )
    console.print(result)
    console.print(f"auto: {auto.reason}")
    console.print(goal(ratio >= GOAL, f"≥ {GOAL}"))


if __name__ == "__main__":
    typer.run(main)

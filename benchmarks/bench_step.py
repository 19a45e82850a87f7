"""What does the framework cost?

The project's GAN step, with Lightning's Trainer, manual optimization, callbacks, loss guard and
logger, takes turns with a bare PyTorch loop that does the same arithmetic on the same batch: one
forward of G, a step of D, a step of G, gradient norms, the moving average. With tiny networks the
difference is the framework's own time, with the paper's the share of it in real training.
"""

from typing import Annotated

import typer
from contest import console, contest, goal, machine, table
from gan_step import PAPER, TINY, BareLoop, Framework, compose_gan, random_batch

from srgan_lightning.precision import resolve_device, resolve_precision

OVERHEAD_GOAL = 10.0  # ms a step
SPEED_GOAL = 0.97


def main(
    rounds: Annotated[int, typer.Option(help="turns of each")] = 7,
    steps: Annotated[int, typer.Option(help="timed steps a turn, paper's networks")] = 3,
    tiny_steps: Annotated[int, typer.Option(help="timed steps a turn, tiny networks")] = 50,
) -> None:
    """Compare the framework's GAN step with a bare loop's."""
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    result = table(
        f"GAN step, {resolved.precision} ({machine(device)})",
        "networks",
        "bare loop ms",
        "framework ms",
        "difference ms",
        "images/s, ratio",
        "goal",
    )
    for name, overrides, count in (("tiny", TINY, tiny_steps), ("paper", PAPER, steps)):
        values = compose_gan(*overrides)
        batch = random_batch(values, paired=False)
        framework = Framework(values, resolved=resolved, batch=batch)
        bare = BareLoop(framework, device)
        times = contest(
            {
                "framework": lambda f=framework, n=count: f.seconds(n),
                "bare": lambda b=bare, n=count: b.seconds(n),
            },
            rounds=rounds,
        )
        difference = 1e3 * times.difference("framework", "bare")
        ratio = times.ratio("bare", "framework")
        result.add_row(
            name,
            f"{1e3 * times.median('bare'):.1f}",
            f"{1e3 * times.median('framework'):.1f}",
            f"{difference:.1f}",
            f"{ratio:.3f}",
            goal(difference <= OVERHEAD_GOAL, f"≤ {OVERHEAD_GOAL:.0f} ms")
            if name == "tiny"
            else goal(ratio >= SPEED_GOAL, f"≥ {SPEED_GOAL}"),
        )
    console.print(result)


if __name__ == "__main__":
    typer.run(main)

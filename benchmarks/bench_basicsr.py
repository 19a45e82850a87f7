"""How fast is training here, and how fast is it with BasicSR?

Both train the same networks on the same batch with the same losses, from the same weights:
BasicSR's MSRResNet and VGGStyleDiscriminator, L1, VGG19 conv5_4 and vanilla GAN loss, 16 crops of
128 pixels. BasicSR uses its own SRGANModel, this project its own module, Trainer and
`precision=auto`; they take turns, each in a process of its own. BasicSR comes from a checkout:
clone XPixelGroup/BasicSR from GitHub and name the folder in `--basicsr`; nothing of it has to be
installed.
"""

from pathlib import Path
from typing import Annotated

import typer
from alone import Alone
from basicsr_opponent import OURS, BasicSR, first_log, first_losses, import_basicsr
from contest import console, contest, goal, machine, table
from gan_step import Framework, compose_gan, random_batch

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.precision import Resolved, resolve_device, resolve_precision

GOAL = 4.0  # on a CPU that is fast at bf16


def build_ours(basicsr: Path) -> Framework:
    """Make this project ready, in its own process."""
    keep_freed_memory()
    return _framework(basicsr, resolve_precision("auto", resolve_device()))


def build_theirs(basicsr: Path) -> BasicSR:
    """Make BasicSR ready, in its own process, with the weights that this project begins with."""
    return BasicSR(_framework(basicsr, Resolved("32-true", False, "plain")), resolve_device())


def _framework(basicsr: Path, resolved: Resolved) -> Framework:
    import_basicsr(basicsr)
    values = compose_gan(*OURS)
    values["generator"], values["discriminator"] = {"name": "msrresnet"}, {"name": "vgg_style"}
    return Framework(values, resolved=resolved, batch=random_batch(values, paired=True))


def main(
    basicsr: Annotated[Path | None, typer.Option(help="a checkout of BasicSR")] = None,
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    steps: Annotated[int, typer.Option(help="timed steps a turn")] = 2,
) -> None:
    """Compare training here with BasicSR's."""
    if basicsr is None:
        console.print("needs an opponent: give a checkout of XPixelGroup/BasicSR in --basicsr")
        return
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    ours, theirs = Alone(build_ours, basicsr), Alone(build_theirs, basicsr)
    ours_first = ours.ask(first_losses)
    times = contest(
        {
            "BasicSR": lambda: theirs.ask(BasicSR.seconds, steps),
            "srgan_lightning": lambda: ours.ask(Framework.seconds, steps),
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
        ("BasicSR", "32-true", theirs.ask(first_log), "1"),
        ("srgan_lightning", resolved.precision, ours_first, f"{ratio:.2f}"),
    ):
        result.add_row(
            name,
            precision,
            f"{first['l_g_pix']:.6f}",
            f"{first['l_g_percep']:.6f}",
            f"{compose_gan(*OURS)['data']['batch_size'] / times.median(name):.2f}",
            shown,
        )
    console.print(result)
    console.print(goal(ratio >= GOAL, f"≥ {GOAL:.0f}"))


if __name__ == "__main__":
    typer.run(main)

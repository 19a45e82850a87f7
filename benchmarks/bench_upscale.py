"""How fast is enlarging, and in how much memory?

Each contender has a process of its own and they take turns. `ours` is what `srgan upscale` runs:
the generator rebuilt for inference, at the precision that "auto" comes to, by bands of rows.

- The same weights, run here and by spandrel: plain float32 torch on the whole picture.
- Each generator's multiplications and additions a second, as a share of the machine's peak: the
  best 3×3 convolution of 64, 128 and 256 channels, measured in the same turns.
- A picture of 1,024 × 1,024 by SRResNet-16 by bands, and whole: seconds, and what memory the
  operating system saw beyond the imports.
"""

from typing import Annotated

import torch
import typer
from alone import Alone
from contest import console, contest, goal, machine, table
from torch.utils.flop_counter import FlopCounterMode
from upscalers import Ours, Peak, Spandrel, new_generator, peak_memory, picture

from srgan_lightning.networks import Generator
from srgan_lightning.precision import Precision, resolve_device, resolve_precision

RATIOS = {"rrdbnet": 2.5, "compact": 2.0}  # to spandrel's speed
DECIBELS = 60.0  # between both pictures
SHARE = 0.65  # of the peak, SRResNet-16
LARGE, MEMORY, THROUGHPUT = 1024, 2.0, 0.8  # LR pixels a side, GB, of the whole picture's
SIDES = {  # LR pixels, so that a picture takes a second or so
    "srresnet": 192,
    "edsr": 192,
    "msrresnet": 192,
    "keras_srgan": 128,
    "rdn": 64,
    "rrdbnet": 96,
    "compact": 256,
    "span": 256,
    "espcn": 384,
    "fsrcnn": 384,
    "srcnn": 128,
    "vdsr": 64,
}


def against_spandrel(name: str, rounds: int) -> None:
    """Print how fast a network is here and with spandrel, and how equal the pictures are."""
    side = SIDES[name]
    ours, theirs = Alone(Ours, name, side), Alone(Spandrel, name, side)
    times = contest(
        {
            "spandrel": lambda: theirs.ask(Spandrel.seconds),
            "ours": lambda: ours.ask(Ours.seconds),
        },
        rounds=rounds,
    )
    difference = ours.ask(picture) - theirs.ask(picture)
    decibels = float(-10 * difference.square().mean().log10())
    ratio = times.ratio("spandrel", "ours")
    result = table(f"{name}, {side} x {side} enlarged 4 times", "", "s", "ratio", "dB between")
    result.add_row("spandrel, float32", f"{times.median('spandrel'):.2f}", "1", "")
    result.add_row("ours", f"{times.median('ours'):.2f}", f"{ratio:.2f}", f"{decibels:.1f}")
    console.print(result)
    console.print(goal(ratio >= RATIOS[name], f"≥ {RATIOS[name]}"))
    console.print(goal(decibels >= DECIBELS, f"≥ {DECIBELS:.0f} dB"))


def shares_of_the_peak(precision: Precision, rounds: int) -> None:
    """Print how much of the machine's best convolution each generator reaches."""
    peak = Alone(Peak, precision)
    result = table(f"Share of the peak, {precision}", "", "GFLOP/s", "peak", "share", "LR MP/s")
    shares = {}
    for name, side in SIDES.items():
        operations = side**2 * operations_per_pixel(new_generator(name))
        ours = Alone(Ours, name, side)
        times = contest(
            {
                "peak": lambda: peak.ask(Peak.seconds),
                "ours": lambda contender=ours: contender.ask(Ours.seconds),
            },
            rounds=rounds,
        )
        speed, best = operations / times.median("ours") / 1e9, 1 / times.median("peak")
        shares[name] = speed / best
        pixels = side**2 / times.median("ours") / 1e6
        cells = f"{speed:.0f}", f"{best:.0f}", f"{shares[name]:.2f}", f"{pixels:.3f}"
        result.add_row(name, *cells)
    console.print(result)
    console.print(goal(shares["srresnet"] >= SHARE, f"SRResNet-16 ≥ {SHARE}"))


@torch.inference_mode()
def operations_per_pixel(generator: Generator) -> float:
    """Count the multiplications and the additions of an LR pixel."""
    with FlopCounterMode(display=False) as counter:
        generator(torch.zeros(1, 3, 32, 32))
    return counter.get_total_flops() / 32**2


def a_large_picture(rounds: int) -> None:
    """Print what a large picture takes by bands, and whole."""
    contenders = {
        "whole": Alone(Ours, "srresnet", LARGE, True),
        "by bands": Alone(Ours, "srresnet", LARGE),
    }
    times = contest(
        {name: lambda c=contender: c.ask(Ours.seconds) for name, contender in contenders.items()},
        rounds=rounds,
    )
    ratio = times.ratio("whole", "by bands")
    peaks = {name: contender.ask(peak_memory) for name, contender in contenders.items()}
    result = table(f"SRResNet-16, {LARGE} x {LARGE}", "", "s", "throughput", "GB beyond imports")
    for name, speed in (("whole", 1.0), ("by bands", ratio)):
        result.add_row(name, f"{times.median(name):.1f}", f"{speed:.2f}", f"{peaks[name]:.2f}")
    console.print(result)
    console.print(goal(ratio >= THROUGHPUT, f"≥ {THROUGHPUT} of the throughput"))
    console.print(goal(peaks["by bands"] <= MEMORY, f"≤ {MEMORY:g} GB"))


def main(
    rounds: Annotated[int, typer.Option(help="turns of each")] = 5,
    large_rounds: Annotated[int, typer.Option(help="turns with the large picture")] = 1,
) -> None:
    """Print all three tables with their goals."""
    device = resolve_device()
    resolved = resolve_precision("auto", device)
    console.print(f"{machine(device)}, {resolved.precision}: {resolved.reason}")
    for name in RATIOS:
        against_spandrel(name, rounds)
    shares_of_the_peak(resolved.precision, rounds)
    a_large_picture(large_rounds)


if __name__ == "__main__":
    typer.run(main)

"""Every method, trained for the same time on the same pictures.

A resumable queue: run the same command again and it goes on where it was stopped, and what is
finished is not done again. Each method first runs a few steps to see how many of them the budget
holds on this machine (so the machine should be idle then); from there on its budget is that number
of steps, however long another program makes them take. All share the data, the crops, the pixel
loss, Adam and the cosine decay; the SRGANs give half of their budget to each stage.

The figures are `srgan evaluate`'s; see docs/methods.md.
"""

import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from contest import console

CALIBRATION = {"pixel": 40, "adversarial": 20}
SHARED = (
    "experiment=srresnet",
    "data=folder",
    "data.crop_size=128",
    "loss.pixel.name=l1",
    "optim.ema_decay=0.99",
    "logger=csv",
    "callbacks.pictures_every_n_steps=0",
)
FEATURES = (
    "loss.content.features.network=vgg16",
    "loss.content.layers=[conv3_3]",
    "loss.content.feature_scale=1.0",
    "loss.content.distance=l1",
    "loss.content.weight=0.02",
    "data.crop_size=96",
)


@dataclass(frozen=True)
class Method:
    """A line of the table.

    Attributes:
        overrides: what makes it this method.
        lr: the first learning rate of the pixel stage.
        batch: crops a step; less for networks that work on HR, so that they get steps enough.
        adversarial: whether half of the budget goes to an adversarial stage.
        fitted: its generator is fitted once and needs no steps.
    """

    overrides: tuple[str, ...]
    lr: float = 5e-4
    batch: int = 16
    adversarial: bool = False
    fitted: bool = False


METHODS = {
    "sparse_coding": Method(("experiment=sparse_coding",), fitted=True),
    "srcnn": Method(("generator=srcnn",), batch=4),
    "srcnn_955": Method(("generator=srcnn_955",), batch=4),
    "fsrcnn": Method(("generator=fsrcnn",), lr=1e-3),
    "espcn": Method(("generator=espcn",), lr=1e-3),
    "vdsr_small": Method(("generator=vdsr_small",), batch=4),
    "edsr_small": Method(("generator=edsr_small",)),
    "srresnet_light": Method(("generator=srresnet_light",), lr=1e-3),
    "rdn_small": Method(("generator=rdn_small",)),
    "rrdbnet_small": Method(("generator=rrdbnet_small",)),
    "compact": Method(("generator=compact",)),
    "span": Method(("generator=span",), batch=4),
    "srgan_light": Method(
        ("generator=srresnet_light", "discriminator=srgan_small", *FEATURES),
        lr=1e-3,
        batch=8,
        adversarial=True,
    ),
    "esrgan_small": Method(
        (
            "generator=rrdbnet_small",
            "discriminator=srgan_small",
            *FEATURES,
            "loss.adversarial.name=relativistic",
            "loss.adversarial.weight=3e-4",
            "loss.pixel.weight=1e-2",
        ),
        batch=8,
        adversarial=True,
    ),
}


def main(
    data: Annotated[Path, typer.Option(help="a store or a folder of photographs to train on")],
    validation: Annotated[Path, typer.Option(help="a folder of HR pictures for the curves")],
    features: Annotated[Path, typer.Option(help="VGG16 weights for the SRGANs' content loss")],
    minutes: Annotated[float, typer.Option(help="the budget of each method")] = 10.0,
    only: Annotated[str, typer.Option(help="some of the methods, by comma")] = ",".join(METHODS),
    output: Annotated[Path, typer.Option("-o", "--output", help="the queue's folder")] = Path(
        "runs/methods"
    ),
    calibrate: Annotated[bool, typer.Option(help="only see how many steps fit")] = False,
) -> None:
    """Train all methods that are not yet finished."""
    shared = (
        *SHARED,
        f"data.root={data}",
        f"+data.validation={{hr: {validation}, lr: null}}",
        f"loss.content.features.weights={features}",
    )
    for name in only.split(","):
        method, folder = METHODS[name], output / name
        if (folder / "figures.json").is_file():
            console.print(f"{name}: finished before")
            continue
        overrides = (*shared, f"data.batch_size={method.batch}", *method.overrides)
        stages = list(_steps(name, method, overrides, output, minutes))
        if not calibrate:
            console.print(f"{name}: {' '.join(stages)}")
            _train(*overrides, *stages, f"hydra.run.dir={folder}")


def _steps(
    name: str, method: Method, overrides: tuple[str, ...], output: Path, minutes: float
) -> Iterator[str]:
    """Say how many steps of each stage the budget holds."""
    if method.fitted:
        return
    rates = _rates(name, method, overrides, output)
    seconds = 60 * minutes / len(rates)
    total = {stage: round(rate * seconds) for stage, rate in rates.items()}
    yield f"trainer.val_every_n_steps={max(1, sum(total.values()) // 10)}"
    yield from _stage("pixel", total["pixel"], method.lr)
    if method.adversarial:
        yield "+schedule/stage@schedule.stages.adversarial=adversarial"
        yield from _stage("adversarial", total["adversarial"], 1e-4)


def _stage(name: str, steps: int, lr: float) -> Iterator[str]:
    place = f"schedule.stages.{name}"
    yield from (f"{place}.steps={steps}", f"{place}.lr={lr}", f"{place}.decay=cosine")
    yield f"{place}.warmup={min(50, steps // 10)}"


def _rates(name: str, method: Method, overrides: tuple[str, ...], output: Path) -> dict[str, float]:
    """Return generator steps a second of each stage, measured once and kept."""
    kept = output / "rates.json"
    rates = json.loads(kept.read_text()) if kept.is_file() else {}
    if name not in rates:
        stages = [*_stage("pixel", CALIBRATION["pixel"], method.lr)]
        if method.adversarial:
            stages.append("+schedule/stage@schedule.stages.adversarial=adversarial")
            stages += _stage("adversarial", CALIBRATION["adversarial"], 1e-4)
        folder = output / "calibration" / name
        _train(
            *overrides,
            *stages,
            "trainer.val_every_n_steps=0",
            "trainer.log_every_n_steps=5",
            f"hydra.run.dir={folder}",
        )
        rates[name] = _read_rates(folder / "metrics.csv", method.batch)
        kept.write_text(json.dumps(rates, indent=2))
    return rates[name]


def _read_rates(path: Path, batch: int) -> dict[str, float]:
    """Read the steps a second of both stages; the first reading of each is warming up."""
    speeds: dict[str, list[float]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row.get("images_per_second"):
                stage = "pixel" if int(row["step"]) <= CALIBRATION["pixel"] else "adversarial"
                speeds.setdefault(stage, []).append(float(row["images_per_second"]) / batch)
    return {stage: statistics.median(values[1:]) for stage, values in speeds.items()}


def _train(*overrides: str) -> None:
    command = [sys.executable, "-m", "srgan_lightning", "train", *overrides]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    typer.run(main)

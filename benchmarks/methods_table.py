"""The table, the pictures and the report of what the queue of `methods.py` has trained.

Measures every finished method, and the ones without weights, on Set5 and Set14 with `srgan
evaluate`; prints the table of docs/methods.md; draws details of packaged photographs beside each
other; and writes the report, whose chart has the perception-distortion plane.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from contest import console

from srgan_lightning.degradations.base import crop_to_multiple
from srgan_lightning.degradations.bicubic import Bicubic
from srgan_lightning.evaluation.comparison import Box, comparison_picture
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.samples import sample_folder

WITHOUT_WEIGHTS = ("bicubic", "lanczos", "total_variation")
DETAILS = {"roman-colosseum": Box(300, 300, 96), "perched-osprey": Box(200, 300, 96)}
SHOWN = ("bicubic", "espcn", "edsr_small", "rrdbnet_small", "srgan_light", "esrgan_small")


def main(
    queue: Annotated[Path, typer.Argument(help="the queue's folder")],
    set5: Annotated[Path, typer.Option(help="Set5's HR pictures")],
    set14: Annotated[Path, typer.Option(help="Set14's HR pictures")],
    output: Annotated[Path, typer.Option("-o", "--output", help="where the results go")] = Path(
        "runs/methods/results"
    ),
) -> None:
    """Measure and draw all methods that are finished."""
    models = {name: name for name in WITHOUT_WEIGHTS}
    for path in sorted(queue.glob("*/figures.json")):
        models[path.parent.name] = str(path.parent / "checkpoints" / "generator.safetensors")
    folders = [
        _evaluate(models, name, hr, output) for name, hr in (("set5", set5), ("set14", set14))
    ]
    console.print(
        _table(*(json.loads((folder / "figures.json").read_text()) for folder in folders))
    )
    shown = {name: models[name] for name in SHOWN if name in models}
    write_png(output / "methods.png", _details(shown))
    _srgan("report", *map(str, folders), "-o", str(output / "report.html"), "--pictures", "2")
    console.print(output / "methods.png", output / "report.html")


def _evaluate(models: dict[str, str], name: str, hr: Path, output: Path) -> Path:
    folder = output / name
    named = ",".join(f"{key}: {value}" for key, value in models.items())
    _srgan(
        "evaluate",
        f"model={{{named}}}",
        f"data={{set: {name}, hr: {hr}, lr: null, root: data}}",
        "degradation=matlab_bicubic",
        f"hydra.run.dir={folder}",
    )
    return folder


def _table(set5: dict, set14: dict) -> str:
    """Lay the means out in Markdown, best PSNR on Set5 last."""
    five, fourteen = (each["methods"] for each in (set5, set14))
    lines = [
        "| method | parameters | Set5 PSNR | SSIM | sharpness | Set14 PSNR | SSIM | sharpness |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(five, key=lambda name: (name != "bicubic", five[name]["mean"]["psnr"])):
        means = five[name]["mean"], fourteen[name]["mean"]
        parameters = means[0].get("parameters")
        cells = [name, f"{parameters:,.0f}" if parameters else ""]
        for mean in means:
            cells += [f"{mean['psnr']:.2f}", f"{mean['ssim']:.4f}", f"{mean['sharpness']:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _details(models: dict[str, str]) -> object:
    rows = []
    for title, _box in DETAILS.items():
        hr = crop_to_multiple(to_tensor(read_rgb(sample_folder("heldout") / f"{title}.jpg")), 4)
        lr = Bicubic(scale=4)(hr)
        row = {
            name: to_picture(TorchUpscaler.load(path, precision="32-true")(lr))
            for name, path in models.items()
        }
        rows.append({**row, "HR": to_picture(hr)})
    return comparison_picture(rows, titles=list(DETAILS), boxes=list(DETAILS.values()))


def _srgan(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "srgan_lightning", *arguments], check=True)


if __name__ == "__main__":
    typer.run(main)

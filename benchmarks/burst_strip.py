"""A burst's best frame enlarged by single-frame models, beside all frames fused.

python benchmarks/burst_strip.py FRAMES FUSED -o strip.jpg --model bicubic --model photo-psnr
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from srgan_lightning.evaluation.comparison import Box, comparison_picture, most_detailed
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.load import load_upscaler
from srgan_lightning.inference.pictures import Picture
from srgan_lightning.multiframe.frames import open_frames
from srgan_lightning.multiframe.ranking import best_frames
from srgan_lightning.multiframe.then import enlarged


def strip(
    frames: Path, fused: Path, models: list[str], *, box: Box | None, zoom: int = 1
) -> Picture:
    """Draw the detail of a fused picture and of its best frame, enlarged to the same size.

    Raises:
        ValueError: a model enlarges otherwise than the frames were fused.
    """
    burst = open_frames([frames])
    frame = burst[best_frames(burst, keep=1)[0][0]].expand(3, -1, -1).numpy()
    panels = {}
    for model in models:
        larger = enlarged(frame, load_upscaler(model))
        panels[model] = (larger.clip(0, 1).transpose(1, 2, 0) * 255).round().astype(np.uint8)
    panels[f"{len(burst)} frames fused"] = picture = read_rgb(fused)
    box = box or most_detailed(picture, side=min(picture.shape[:2]))
    return comparison_picture([panels], titles=["all of it, fused"], boxes=[box], zoom=zoom)


def main(
    frames: Annotated[Path, typer.Argument(help="what was fused: a folder, a video, a cube")],
    fused: Annotated[Path, typer.Argument(help="what `srgan fuse` made of it, a picture")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the strip")],
    model: Annotated[list[str], typer.Option(help="as `srgan upscale --model`")],
    box: Annotated[
        tuple[int, int, int] | None, typer.Option(help="the detail: top, left, side")
    ] = None,
    zoom: Annotated[int, typer.Option(help="enlarge the detail by repeating pixels")] = 1,
) -> None:
    """Draw one strip."""
    drawn = strip(frames, fused, model, box=Box(*box) if box else None, zoom=zoom)
    Image.fromarray(drawn).save(output, quality=88)


if __name__ == "__main__":
    typer.run(main)

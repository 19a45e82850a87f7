"""`srgan fuse`: many frames of one scene become one picture of higher resolution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from srgan_lightning.commands.options import FILES, Flux, Overwrite
from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    import torch

RECONSTRUCTION, MOTION = "Reconstruction", "Motion"


def fuse(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="FRAMES...",
            help="A folder of pictures, pictures, a video, an animation, a TIFF of many pages, a "
            "FITS cube or FITS files: together one burst.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The picture: .png (16 bits), .tif (floating point), .fits (with weight and "
            "uncertainty), .jpg, .webp, .bmp.",
        ),
    ],
    method: Annotated[
        Literal["map", "kernel", "drizzle", "shift-and-add", "back-projection"] | None,
        typer.Option(
            show_default="map",
            help="map: the most probable picture, robust and sharp; kernel: smooths along edges, "
            "distrusts what moves; drizzle and shift-and-add: linear, for measuring; "
            "back-projection: Irani's and Peleg's.",
            rich_help_panel=RECONSTRUCTION,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Fuse by a trained generator, photo-burst or a file, instead of by --method.",
            rich_help_panel=RECONSTRUCTION,
        ),
    ] = None,
    scale: Annotated[
        int, typer.Option(help="Enlarge the sides by this, 1 to 8.", rich_help_panel=RECONSTRUCTION)
    ] = 4,
    psf: Annotated[
        str,
        typer.Option(
            metavar="SIGMA|auto|stars|spectrum",
            help="Blur of the frames, which map, back-projection and some models undo: the "
            "standard deviation of a Gaussian in pixels, or how to find it.",
            rich_help_panel=RECONSTRUCTION,
        ),
    ] = "0.5",
    pixfrac: Annotated[
        float,
        typer.Option(
            help="Drizzle: the side of a drop, in pixels.", rich_help_panel=RECONSTRUCTION
        ),
    ] = 0.7,
    device: Annotated[
        str,
        typer.Option(
            help="Where to register, and to fuse by map, kernel and back-projection: cpu, cuda, "
            "cuda:1.",
            rich_help_panel=RECONSTRUCTION,
        ),
    ] = "cpu",
    then: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Enlarge the fused picture further with a model, as `srgan upscale --model`.",
            rich_help_panel=RECONSTRUCTION,
        ),
    ] = None,
    motion: Annotated[
        Literal["translation", "similarity", "affine", "homography", "stars"],
        typer.Option(help="How frames may differ in place.", rich_help_panel=MOTION),
    ] = "translation",
    local: Annotated[
        bool,
        typer.Option("--local", help="And local warps (seeing).", rich_help_panel=MOTION),
    ] = False,
    keep: Annotated[
        str,
        typer.Option(
            metavar="PERCENT",
            help="Register and fuse the sharpest frames only.",
            rich_help_panel=MOTION,
        ),
    ] = "100%",
    motion_file: Annotated[
        Path | None,
        typer.Option(
            help="Take the motion from such a file, do not register.", rich_help_panel=MOTION
        ),
    ] = None,
    save_motion: Annotated[
        Path | None,
        typer.Option(
            help="Write the motion of all frames (.json), also of those that --keep leaves out.",
            rich_help_panel=MOTION,
        ),
    ] = None,
    maps: Annotated[
        bool,
        typer.Option(
            "--maps",
            help="Also write NAME.weight.tif and NAME.uncertainty.tif; FITS has them anyway.",
            rich_help_panel=FILES,
        ),
    ] = False,
    flux: Flux = "keep",
    overwrite: Overwrite = False,
) -> None:
    """Fuse many frames of one scene into one picture of higher resolution.

    Frames that were taken from slightly different places show, together, detail that none of them
    has. They are registered, those that do not fit are left out, which is said, and the rest is
    fused. The result lies on the grid of the sharpest frame (FITS: of the first one).

    Example: srgan fuse clip.mp4 -o fused.png

    Example: srgan fuse night/*.fits -o fused.fits --method drizzle --motion stars --flux conserve
    """
    import time
    from dataclasses import replace

    from srgan_lightning import __version__
    from srgan_lightning.commands.enlarging import progress_bar
    from srgan_lightning.imaging.fits import is_fits
    from srgan_lightning.inference.load import load_upscaler
    from srgan_lightning.multiframe.frames import open_frames
    from srgan_lightning.multiframe.fusion.learned import load_fuser
    from srgan_lightning.multiframe.plan import Plan
    from srgan_lightning.multiframe.ranking import share_of
    from srgan_lightning.multiframe.then import enlarged
    from srgan_lightning.multiframe.write import write_fits, write_picture

    for option, given in (("--then", then), ("--model", model)):
        if maps and given:
            raise UserError(
                f"--maps: nobody knows how sure a generator is; leave it out, or {option}"
            )
    if model and method:
        raise UserError(f"--method {method}: --model {model} fuses instead; leave out one of them")
    beside = _beside(output) if maps and not is_fits(output) else {}
    _check_writable(output, save_motion, *beside.values(), overwrite=overwrite)
    plan = Plan(
        fuser=method or "map",
        label=method or "map",
        scale=scale,
        psf=psf,
        pixfrac=pixfrac,
        device=_place(device),
        motion=motion,
        local=local,
        keep=share_of(keep),
        motion_file=motion_file,
        every=save_motion is not None,
    )
    if model:
        fuser, label = load_fuser(model, scale=scale)
        plan = replace(plan, fuser=fuser, label=label)
    start = time.perf_counter()
    frames = open_frames(inputs)
    if is_fits(output) != (frames.header is not None):
        kind = "FITS" if frames.header is not None else "pictures"
        raise UserError(f"{output}: the frames are {kind}, and so must be the output")
    upscaler = load_upscaler(then) if then else None
    with progress_bar() as progress:
        bar = progress.add_task("", total=None, rate="")
        made = plan.carry_out(
            frames,
            on_stage=lambda name, total: progress.reset(bar, description=name, total=total),
            on_progress=lambda done: progress.advance(bar, done),
        )
    picture, planes, factor = made.picture, made.maps, scale
    told = {"Software": f"srgan-lightning {__version__}", **made.told}
    if upscaler is not None:
        told |= upscaler.describe(32)
        picture, planes = enlarged(picture, upscaler), {}
        factor *= upscaler.scale
    if is_fits(output):
        write_fits(
            output,
            picture,
            frames.header,
            maps=planes,
            units=frames.scale,
            scale=factor,
            conserve=flux == "conserve",
            provenance=told,
        )
    else:
        write_picture(output, picture, provenance=told)
        for name, file in beside.items():
            write_picture(file, planes[name], provenance=told)
    if save_motion:
        made.motion.save(save_motion)
    height, width = picture.shape[1:]
    fuser_name = plan.label.partition(" sha256:")[0]
    typer.echo(
        f"{made.count} of {len(frames)} frames fused to {output}: {width}x{height} pixels "
        f"in {time.perf_counter() - start:.1f} s ({fuser_name})"
    )


def _beside(output: Path) -> dict[str, Path]:
    return {name: output.with_suffix(f".{name}.tif") for name in ("weight", "uncertainty")}


def _check_writable(output: Path, *more: Path | None, overwrite: bool) -> None:
    """Refuse what exists, and a picture of an unknown format, before the work begins."""
    from srgan_lightning.imaging.encode import format_of
    from srgan_lightning.imaging.fits import is_fits

    for file in (output, *more):
        if file is not None and file.exists() and not overwrite:
            raise UserError(f"{file}: exists; --overwrite replaces it")
    if not is_fits(output):
        format_of(output)


def _place(name: str) -> torch.device:
    from srgan_lightning.precision import resolve_device

    device = resolve_device(name)
    if device.type == "mps":
        raise UserError("--device: places are counted in float64, which mps lacks; take cpu")
    return device

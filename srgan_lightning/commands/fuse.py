"""`srgan fuse`: many frames of one scene become one picture of higher resolution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
            help="Fuse by a trained generator (experiment=burst, burst_sr) instead of by --method.",
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
    import dataclasses
    import time

    import torch

    from srgan_lightning import __version__
    from srgan_lightning.commands.enlarging import progress_bar
    from srgan_lightning.imaging.encode import format_of
    from srgan_lightning.imaging.fits import is_fits
    from srgan_lightning.inference.load import load_upscaler
    from srgan_lightning.multiframe import fusion
    from srgan_lightning.multiframe.brightness import measure_brightness
    from srgan_lightning.multiframe.frames import open_frames
    from srgan_lightning.multiframe.fusion.learned import fuse_learned, load_fuser
    from srgan_lightning.multiframe.motion import find_motion, given_motion
    from srgan_lightning.multiframe.psf import find_psf, given_psf
    from srgan_lightning.multiframe.ranking import share_of
    from srgan_lightning.multiframe.then import enlarged
    from srgan_lightning.multiframe.write import write_fits, write_picture
    from srgan_lightning.networks.base import TYPICAL_BLUR

    for option, given in (("--then", then), ("--model", model)):
        if maps and given:
            raise UserError(
                f"--maps: nobody knows how sure a generator is; leave it out, or {option}"
            )
    if model and method:
        raise UserError(f"--method {method}: --model {model} fuses instead; leave out one of them")
    if not model:
        method = method or "map"
    share, blur, place = share_of(keep), given_psf(psf), _place(device)
    fusion.check_bounds(scale=scale, sigma=blur.sigma if blur else 0, pixfrac=pixfrac)
    names = (output, save_motion)
    beside = {
        name: output.with_suffix(f".{name}.tif") if maps and not is_fits(output) else None
        for name in ("weight", "uncertainty")
    }
    for file in (*names, *beside.values()):
        if file is not None and file.exists() and not overwrite:
            raise UserError(f"{file}: exists; --overwrite replaces it")
    if not is_fits(output):
        format_of(output)
    start = time.perf_counter()
    frames = open_frames(inputs)
    if is_fits(output) != (frames.header is not None):
        kind = "FITS" if frames.header is not None else "pictures"
        raise UserError(f"{output}: the frames are {kind}, and so must be the output")
    upscaler = load_upscaler(then) if then else None
    fuser, how = load_fuser(model, scale=scale) if model else (None, method)
    undoes = method in fusion.DEBLURRING or (fuser is not None and fuser.deblurs)
    with progress_bar() as progress:
        bar = progress.add_task("", total=None, rate="")

        def advance(done: float) -> None:
            progress.advance(bar, done)

        def stage(name: str, total: float | None = None) -> None:
            progress.reset(bar, description=name, total=total)

        if motion_file is not None:
            moved = given_motion(frames, motion_file, keep=share, on_stage=stage)
        else:
            moved = find_motion(
                frames,
                keep=share,
                model=motion,
                local=local,
                device=place,
                every=save_motion is not None,
                on_stage=stage,
                on_frames=advance,
            )
        found, kept = moved.motion, moved.kept
        if len(kept) < 2:
            raise UserError("fewer than two frames are left to be fused; keep more of them")
        burst, there = moved.frames.only(kept), found.select(kept)
        with torch.inference_mode():
            stage("comparing the brightness")
            brightness = measure_brightness(burst, there)
            burst = burst.levelled(brightness.gains, brightness.offsets)
            if undoes:
                blur = blur or find_psf(burst, there, psf)
            if blur and method != "back-projection" and undoes and not motion_file:
                stage("refining the motion")
                there = fusion.refine(burst, there, model=motion, sigma=blur.sigma, device=place)
            refined = not torch.equal(there.matrices, found.matrices[kept])
            matrices = found.matrices.index_copy(0, torch.tensor(kept), there.matrices)
            found = dataclasses.replace(found, matrices=matrices)
            stage("fusing", 1.0)
            planes: dict[str, Any] = {}
            if fuser is not None:
                picture: Any = fuse_learned(
                    burst,
                    there,
                    fuser.to(place),
                    sigma=blur.sigma if blur else TYPICAL_BLUR,
                    on_progress=advance,
                ).numpy()
            elif method is not None:
                fused = fusion.fuse(
                    burst,
                    there,
                    method=method,
                    scale=scale,
                    sigma=blur.sigma if blur else 0,
                    pixfrac=pixfrac,
                    device=place,
                    on_progress=advance,
                )
                picture = fused.picture.numpy()
                planes["weight"] = fused.weight.numpy()[None]
                planes["uncertainty"] = fused.uncertainty.numpy()
    details = f", pixfrac {pixfrac:g}" if method == "drizzle" else ""
    if blur and undoes:
        details = f", psf {blur.sigma:g} ({blur.told})"
    told = {
        "Software": f"srgan-lightning {__version__}",
        "Fusion": f"{how} of {len(kept)} of {len(frames)} frames, x{scale}{details}, "
        f"motion {'given' if motion_file else motion + (' and local' if local else '')}"
        + (", refined on the fused picture" if refined else ""),
        "Brightness": brightness.told,
    }
    factor = scale
    if upscaler is not None:
        told |= upscaler.describe(32)
        picture = enlarged(picture, upscaler)
        factor *= upscaler.scale
        planes = {}  # nobody knows how sure a generator is
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
            if file is not None:
                write_picture(file, planes[name], provenance=told)
    if save_motion:
        found.save(save_motion)
    typer.echo(
        f"{len(kept)} of {len(frames)} frames fused to {output}: {picture.shape[2]}x"
        f"{picture.shape[1]} pixels in {time.perf_counter() - start:.1f} s ({how})"
    )


def _place(name: str) -> torch.device:
    from srgan_lightning.precision import resolve_device

    device = resolve_device(name)
    if device.type == "mps":
        raise UserError("--device: places are counted in float64, which mps lacks; take cpu")
    return device

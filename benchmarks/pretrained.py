"""What trained weights do to flat areas, to stars and to time; a table for any models and folder.

- `python benchmarks/pretrained.py flat photo-gan photo-psnr --hr PHOTOS`
- `python benchmarks/pretrained.py stars cosmic photo-psnr --hr IMAGES --degradation blur_bicubic`
- `python benchmarks/pretrained.py speed photo-psnr`
"""

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import sep
import torch
import typer
from contest import console, contest, table
from flatness import PATCH, grid_power
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter, maximum_filter, uniform_filter
from scipy.spatial import cKDTree

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.degradations import DEGRADATIONS, crop_to_multiple
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.inference.pictures import to_picture, to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks.generators.srresnet import SRResNet

SCALE = 4
SIDES = 128, 256, 512  # LR pixels, of pictures whose time is measured
FLAT = 2.0  # grey levels: the deviation that a flat patch of HR stays below
RADIUS = 4.0  # HR pixels, one of LR: how far a star may have moved
DETECTED, THERE = 5.0, 3.0  # sigmas of HR's noise: what counts as a star, and what as a peak
CORE, AROUND = 1.0, 15  # pixels: the deviation of a star's core, and the side of its surroundings
BRIGHT = 10.0  # signal to noise in LR
LARGEST = 6.0  # pixels: half axes of what may be a star
BORDER = 8  # pixels

app = typer.Typer()
Models = Annotated[list[str], typer.Argument(help="what `srgan upscale --model` takes")]
Folder = Annotated[Path, typer.Option(help="HR pictures")]
Name = Annotated[str, typer.Option(help="how LR is made")]


@app.command()
def flat(models: Models, hr: Folder, degradation: Name = "bicubic") -> None:
    """Measure grid, deviation and shift, in grey levels, HR beside the models.

    The grid is what repeats every 4 pixels in flat patches: the deviation of the 16 means of pixels
    of equal place in a cell of 4x4, of luma less its mean over 4x4 pixels. HR's own is chance.
    Its energy is what each patch has at the periods of 4 and 2 pixels, against HR's; the peak is
    that against the frequencies between, 1 where there is no line.
    """
    heads = ("grid", "grid / HR's", "energy / HR's", "peak", "deviation", "shift")
    begun = table("flat patches [grey levels]", "", *heads)
    flat_lumas: dict[str, list[NDArray[np.float64]]] = {}
    rows: dict[str, list[tuple[float, float, float]]] = {}
    patches = 0
    for picture, made in _pairs(models, hr, degradation):
        del made["LR"]
        places = _flat_places(picture)
        patches += len(places)
        for name, sr in {"HR": picture, **made}.items():
            shift = float(sr.mean() - picture.mean())
            if places:
                luma = _luma(sr)
                flat_lumas.setdefault(name, []).extend(luma[place] for place in places)
                deviation = np.mean([sr[place].std(axis=(0, 1)).mean() for place in places])
                rows.setdefault(name, []).append((_grid(sr, places), float(deviation), shift))
    reference = float(np.mean([grid for grid, _, _ in rows["HR"]]))
    powers = {name: grid_power(np.stack(lumas)) for name, lumas in flat_lumas.items()}
    for name, found in rows.items():
        grid, deviation, _ = np.mean(found, axis=0)
        line, between = powers[name]
        shift = max((each for _, _, each in found), key=abs)
        begun.add_row(
            name,
            f"{grid:.3f}",
            f"{grid / reference:.2f}",
            f"{line / powers['HR'][0]:.2f}",
            f"{line / between:.2f}",
            f"{deviation:.2f}",
            f"{shift:+.2f}",
        )
    console.print(begun, f"{patches} flat patches; shift: the largest of any picture's mean")


@app.command()
def stars(models: Models, hr: Folder, degradation: Name = "blur_bicubic") -> None:
    """Compare the stars of SR with those of HR, found by SEP above 5 sigma of HR's noise.

    False is a star of SR where HR has no peak, complete the share of HR's stars with a signal to
    noise above 10 in LR where SR has one. A peak stands 3 sigma of HR's noise above its
    surroundings; SEP itself takes a crowd of stars for a single source. Size and ellipticity are
    medians over the stars that both have: sqrt(a b) in SR over that in HR, and the difference of
    1 - b / a.
    """
    begun = table("stars", "", "found", "false", "complete", "size", "ellipticity")
    found: dict[str, list[tuple[int, int, int, int, Any, Any]]] = {}
    for picture, made in _pairs(models, hr, degradation):
        lr = _luma(made.pop("LR"))
        for name, sr in {"HR": picture, **made}.items():
            found.setdefault(name, []).append(_compare(_luma(picture), _luma(sr), lr))
    for name, rows in found.items():
        count, false, bright, seen = (sum(row[i] for row in rows) for i in range(4))
        size, shape = (np.concatenate([row[i] for row in rows]) for i in (4, 5))
        begun.add_row(
            name,
            f"{count}",
            f"{false / max(count, 1):.2%}",
            f"{seen / max(bright, 1):.2%} of {bright}",
            f"{np.median(size):.3f}" if len(size) else "",
            f"{np.median(np.abs(shape)):.3f}" if len(shape) else "",
        )
    console.print(begun)


@app.command()
def speed(models: Models) -> None:
    """Compare the time of models with that of the SRGAN paper's SRResNet of 16 blocks."""
    keep_freed_memory()  # as `srgan upscale` does
    upscalers = {name: TorchUpscaler.load(name) for name in models}
    upscalers["SRResNet-16"] = TorchUpscaler(SRResNet())
    begun = table("CPU seconds", "", "LR", "median", "times as fast as SRResNet-16")
    for side in SIDES:
        picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        turns = {name: partial(_cpu_seconds, each, picture) for name, each in upscalers.items()}
        for turn in turns.values():
            turn()
        times = contest(turns, rounds=5)
        for name in turns:
            median, ratio = times.median(name), times.ratio("SRResNet-16", name)
            begun.add_row(name, f"{side} x {side}", f"{median:.3f}", f"{ratio:.2f}")
    console.print(begun)


def _cpu_seconds(upscaler: TorchUpscaler, picture: NDArray[np.uint8]) -> float:
    start = time.process_time()
    upscaler.enlarge(picture)
    return time.process_time() - start


def _pairs(models: list[str], folder: Path, degradation: str) -> Any:
    """Yield HR and what models make of its LR ("LR" itself too), uint8."""
    degrade = DEGRADATIONS.build(degradation, {}, scale=SCALE)
    upscalers = {name: TorchUpscaler.load(name) for name in models}
    for path in track(list_images(folder), "measuring", console=console, transient=True):
        hr = crop_to_multiple(to_tensor(read_rgb(path)), SCALE)
        lr = to_picture(degrade(hr, torch.Generator().manual_seed(0)))
        made = {name: upscaler.enlarge(lr) for name, upscaler in upscalers.items()}
        yield to_picture(hr), {"LR": lr, **made}


def _flat_places(picture: NDArray[np.uint8]) -> list[tuple[slice, slice]]:
    places = []
    for top in range(BORDER, picture.shape[0] - PATCH - BORDER, PATCH):
        for left in range(BORDER, picture.shape[1] - PATCH - BORDER, PATCH):
            place = slice(top, top + PATCH), slice(left, left + PATCH)
            patch = picture[place]
            clipped = patch.min() <= 2 or patch.max() >= 253
            if not clipped and patch.std(axis=(0, 1)).max() < FLAT:
                places.append(place)
    return places


def _grid(picture: NDArray[np.uint8], places: list[tuple[slice, slice]]) -> float:
    luma = _luma(picture)
    rest = luma - uniform_filter(luma, SCALE)
    cells = np.stack([rest[place].reshape(PATCH // 4, 4, PATCH // 4, 4) for place in places])
    return float(cells.mean(axis=(0, 1, 3)).std())


def _luma(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.ascontiguousarray(picture @ np.array([0.299, 0.587, 0.114]))


def _sources(luma: NDArray[np.float64], threshold: float) -> Any:
    return sep.extract(luma - sep.Background(luma).back(), threshold, minarea=5)


def _stars(sources: Any) -> Any:
    return sources[np.sqrt(sources["a"] * sources["b"]) < LARGEST]


def _compare(
    hr: NDArray[np.float64], sr: NDArray[np.float64], lr: NDArray[np.float64]
) -> tuple[int, int, int, int, Any, Any]:
    """Count SR's stars, false ones, HR's bright ones, those of them in SR; and compare shapes."""
    noise = max(sep.Background(hr).globalrms, 0.25)
    true, mine = _stars(_sources(hr, DETECTED * noise)), _stars(_sources(sr, DETECTED * noise))
    lr_noise = max(sep.Background(lr).globalrms, 0.25)
    seen = sep.extract(lr - sep.Background(lr).back(), 1.5 * lr_noise, minarea=3)
    seen = seen[seen["flux"] / (lr_noise * np.sqrt(seen["npix"])) > BRIGHT]
    in_lr = np.stack([seen["x"], seen["y"]], 1) * SCALE + (SCALE - 1) / 2
    bright = true[_nearest(_places(true), in_lr)[0] <= RADIUS]
    shown = _nearest(_places(bright), _peaks(sr, THERE * noise))[0] <= RADIUS
    distance, partner = _nearest(_places(bright), _places(mine))
    both = distance <= RADIUS
    of_hr, of_sr = bright[both], mine[partner[both]]
    size = np.sqrt(of_sr["a"] * of_sr["b"] / (of_hr["a"] * of_hr["b"]))
    shape = of_hr["b"] / of_hr["a"] - of_sr["b"] / of_sr["a"]
    false = _nearest(_places(mine), _peaks(hr, THERE * noise))[0] > RADIUS
    return len(mine), int(false.sum()), len(bright), int(shown.sum()), size, shape


def _peaks(luma: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return where the picture, smoothed, is highest nearby and stands out (as in Stetson 1987)."""
    core = gaussian_filter(luma, CORE) - uniform_filter(luma, AROUND)
    y, x = np.nonzero((core == maximum_filter(core, 3)) & (core > threshold))
    return np.stack([x, y], 1).astype(np.float64)


def _places(sources: Any) -> NDArray[np.float64]:
    return np.stack([sources["x"], sources["y"]], 1)


def _nearest(places: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return the distance of each place to the nearest of others, and which that is."""
    if not len(others) or not len(places):
        return np.full(len(places), np.inf), np.zeros(len(places), int)
    return cKDTree(others).query(places)


if __name__ == "__main__":
    app()

"""How much fusion gains over one frame: synthetic bursts of pictures, the motion estimated.

    python benchmarks/bench_burst.py FOLDER... [--pictures 4] [--crop 192] [--sigma 0.25 0.5]
    python benchmarks/bench_burst.py FOLDER... --pictures 99 --only map burst

For each picture a burst of 16 frames (x4, Gaussian blur, noise of 1/255, rounded to 8 bits) is made
of its middle. Each method's PSNR (RGB, without a border of 16 pixels) is told less that of the
reference frame enlarged by bicubic interpolation; the most probable picture also with the motion
known, with fewer frames, and with one wildly wrong frame. "limit" is the most that a linear method
can gain: Wiener's filter, told the spectrum of HR, on frames that share out the sub-pixel places
evenly. With --only some methods alone are measured, networks that fuse among them.
"""

import argparse
import itertools
import math
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from srgan_lightning.degradations.burst import Burst
from srgan_lightning.degradations.motion import Motion
from srgan_lightning.imaging.read import list_images, read_rgb
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import fuse, refine
from srgan_lightning.multiframe.fusion.learned import fuse_learned, load_fuser
from srgan_lightning.multiframe.fusion.observation import sensor_kernel
from srgan_lightning.multiframe.registration import register

COUNTS = (1, 2, 4, 8, 16)
METHODS = ("shift-and-add", "drizzle", "kernel", "back-projection", "map")


def middle(path: Path, side: int) -> Tensor:
    """Return the middle of a picture, large ones halved, `[3, side, side]`."""
    image = Image.fromarray(read_rgb(path))
    if min(image.size) > 1000:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side)))
    return torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)


def psnr(made: Tensor, hr: Tensor) -> float:
    """Compare RGB without a border of 16 pixels."""
    off = (made.nan_to_num().clamp(0, 1) - hr)[:, 16:-16, 16:-16]
    return -10 * math.log10(float(off.square().mean()))


def limit(hr: Tensor, sigma: float) -> float:
    """Return the PSNR of the best linear method, mirrored borders counted in."""
    whole = torch.cat([hr, hr.flip(-1)], -1)
    whole = torch.cat([whole, whole.flip(-2)], -2).double()
    kernel = sensor_kernel(4, sigma).double()
    down, across = (torch.fft.fft(kernel, n=side).abs() for side in whole.shape[-2:])
    passed = (down[:, None] * across).square()
    noise = (1 + 1 / 12) / 255**2
    # The axes of colour: what the channels have in common is told from noise once.
    flat = torch.fft.fft2(whole) / math.sqrt(whole[0].numel())
    axes = torch.linalg.eigh(torch.cov(flat[:, passed > 0].real)).eigenvectors
    light = torch.einsum("cd,chw->dhw", axes.to(flat.dtype), flat).abs().square()
    return -10 * math.log10(float((light * noise / (light * passed + noise)).mean()))


def fused(frames: Tensor, method: str, sigma: float, motion: Motion | None = None) -> Tensor:
    """Register a burst, unless its motion is known, and fuse what fits."""
    burst = Frames.of(frames)
    if motion is not None:
        return fuse(burst, motion, method=method, sigma=sigma).picture
    found = register(burst, reference=0)
    kept = found.kept.nonzero()[:, 0].tolist()
    burst, motion = burst.only(kept), found.motion.select(kept)
    if method in ("shift-and-add", "drizzle", "kernel", "back-projection"):
        return fuse(burst, motion, method=method, sigma=sigma).picture
    motion = refine(burst, motion, model="translation", sigma=sigma)
    if method == "map":
        return fuse(burst, motion, method=method, sigma=sigma).picture
    return fuse_learned(burst, motion, load_fuser(method, scale=4)[0].eval(), sigma=sigma)


def gains(hr: Tensor, sigma: float, seed: int, only: list[str]) -> dict[str, float]:
    """Return bicubic's PSNR and what each method gains over it, in dB."""
    generator = torch.Generator().manual_seed(seed)
    burst = Burst(scale=4, frames=max(COUNTS), blur_sigma=(sigma, sigma))
    frames, (motion,) = burst.observe(hr[None], generator)
    frames = frames[0]
    one = F.interpolate(frames[:1], scale_factor=4, mode="bicubic")[0]
    begin = psnr(one, hr)
    if only:
        told = {method: psnr(fused(frames, method, sigma), hr) - begin for method in only}
        return {"bicubic": begin, **told}
    told = {"limit": limit(hr, sigma) - begin}
    told |= {method: psnr(fused(frames, method, sigma), hr) - begin for method in METHODS}
    told["map, motion known"] = psnr(fused(frames, "map", sigma, motion), hr) - begin
    for count in COUNTS[:-1]:
        alone = motion.select([0]) if count == 1 else None  # there is no other frame to fit
        told[f"map of {count}"] = psnr(fused(frames[:count], "map", sigma, alone), hr) - begin
    frames[5] = frames[5].flip(-1, -2)
    told["one wrong"] = psnr(fused(frames, "map", sigma), hr) - begin
    return {"bicubic": begin, **told}


def main() -> None:
    """Measure folder by folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=4, help="of each folder")
    parser.add_argument("--crop", type=int, default=192)
    parser.add_argument("--sigma", type=float, nargs="+", default=[0.25, 0.5], help="LR pixels")
    parser.add_argument("--only", nargs="+", default=[], help="methods, files of networks")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for folder, sigma in itertools.product(arguments.folders, arguments.sigma):
        files = list_images(folder)
        files = files[:: max(1, len(files) // arguments.pictures)][: arguments.pictures]
        rows = []
        for seed, file in enumerate(files):
            rows.append(gains(middle(file, arguments.crop), sigma, seed, arguments.only))
            print(
                file.name, *(f"{key} {value:+.2f}" for key, value in rows[-1].items()), flush=True
            )
        mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
        print(
            f"{folder}, blur {sigma:g}, mean:",
            *(f"{key} {value:+.2f}" for key, value in mean.items()),
        )


if __name__ == "__main__":
    main()

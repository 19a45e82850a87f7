"""Seconds to fuse 16 frames of 720x480 in colour to x4, by each method; the motion is given.

python benchmarks/bench_fuse.py [--height 480] [--width 720] [--frames 16] [--methods map ...]
"""

import argparse
import time

import torch

from srgan_lightning.degradations.motion import Motion
from srgan_lightning.multiframe.frames import Frames
from srgan_lightning.multiframe.fusion import fuse


def main() -> None:
    """Measure wall clock and processor time, which differ where others compute too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=720)
    parser.add_argument("--frames", type=int, default=16)
    methods = ("shift-and-add", "drizzle", "kernel", "back-projection", "map")
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods)
    size = parser.parse_args()
    torch.manual_seed(0)
    frames = Frames.of(torch.rand(size.frames, 3, size.height, size.width))
    motion = Motion.of_shifts(torch.randn(size.frames, 2))
    for method in size.methods:
        wall, own = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            fuse(frames, motion, method=method)
        wall, own = time.perf_counter() - wall, time.process_time() - own
        print(f"{method}: {wall:.1f} s, {own:.1f} s of processor time", flush=True)


if __name__ == "__main__":
    main()

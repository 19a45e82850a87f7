"""What enlarges in the benchmark of `srgan upscale`, each in a process of its own."""

import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

from srgan_lightning.allocator import keep_freed_memory
from srgan_lightning.imaging.read import read_rgb
from srgan_lightning.inference.pictures import to_tensor
from srgan_lightning.inference.torch_upscaler import TorchUpscaler
from srgan_lightning.networks import GENERATORS, Generator
from srgan_lightning.networks.foreign import write_foreign
from srgan_lightning.precision import DTYPES, Precision
from srgan_lightning.samples import sample_folder


class Ours:
    """A generator as `srgan upscale` runs it.

    Args:
        name: the generator's.
        side: of the picture, LR pixels.
        whole: take the picture at once, not by bands of rows.
    """

    def __init__(self, name: str, side: int, whole: bool = False) -> None:
        self.before = memory("VmRSS")
        keep_freed_memory()
        self.upscaler = TorchUpscaler(new_generator(name), tile=None if whole else "auto")
        self.lr = photograph(side)

    def seconds(self) -> float:
        """Enlarge the picture once."""
        started = time.perf_counter()
        self.sr = self.upscaler(self.lr)
        return time.perf_counter() - started


class Spandrel:
    """The same weights, as spandrel builds and runs them.

    Args:
        name: the generator's.
        side: of the picture, LR pixels.
    """

    def __init__(self, name: str, side: int) -> None:
        import spandrel

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "generator.pth")
            write_foreign(path, new_generator(name))
            self.model = spandrel.ModelLoader("cpu").load_from_file(path)
        self.model.eval()
        self.lr = photograph(side)

    @torch.inference_mode()
    def seconds(self) -> float:
        """Enlarge the picture once."""
        started = time.perf_counter()
        self.sr = self.model.model(self.lr)
        return time.perf_counter() - started


class Peak:
    """The machine's best convolution.

    Args:
        precision: of `srgan_lightning.precision`.
    """

    def __init__(self, precision: Precision) -> None:
        self.trials = []
        for channels in (64, 128, 256):
            for memory in (torch.channels_last, torch.contiguous_format):
                convolution = torch.nn.Conv2d(channels, channels, 3, padding=1)
                convolution.to(DTYPES[precision]).to(memory_format=memory)
                features = torch.rand(1, channels, 128, 128).to(DTYPES[precision])
                self.trials.append((convolution, features.contiguous(memory_format=memory)))

    @torch.inference_mode()
    def seconds(self) -> float:
        """Return the seconds of a billion floating-point operations at the best."""
        best = float("inf")
        for convolution, features in self.trials:
            operations = 2 * convolution.weight.numel() * features.shape[2] * features.shape[3]
            for _ in range(4):
                started = time.perf_counter()
                convolution(features)
                best = min(best, (time.perf_counter() - started) / operations)
        return 1e9 * best


def peak_memory(contender: Ours) -> float:
    """Return the GB that a contender's process has held at most beyond its imports."""
    return memory("VmHWM") - contender.before


def memory(which: str) -> float:
    """Return what the operating system tells of this process's memory, in GB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) / 1024**2
    raise ValueError(which)


def picture(contender: Ours | Spandrel) -> Tensor:
    """Return what a contender made of the picture."""
    return contender.sr


def new_generator(name: str) -> Generator:
    """Build a generator in its paper's size, the same in every process."""
    torch.manual_seed(0)
    return GENERATORS.build(name, {}, scale=4).eval()


def photograph(side: int) -> Tensor:
    """Repeat a packaged photograph to a square."""
    lr = to_tensor(read_rgb(sample_folder("heldout") / "casa-mila.jpg"))
    times = [-(-side // length) for length in lr.shape[2:]]
    return lr.repeat(1, 1, *times)[..., :side, :side].contiguous()

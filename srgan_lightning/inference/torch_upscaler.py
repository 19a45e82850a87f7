"""Pictures enlarged by a generator in PyTorch."""

import contextlib
import copy
import functools
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from srgan_lightning.inference import memory
from srgan_lightning.inference.footprint import bytes_per_pixel
from srgan_lightning.inference.generators import find_generator, is_method
from srgan_lightning.inference.prepare import prepared
from srgan_lightning.inference.provenance import named
from srgan_lightning.inference.resample import Strip
from srgan_lightning.inference.rows import NotByRowsError, RowStream
from srgan_lightning.inference.upscaler import Job, Tile, Tiling, Upscaler
from srgan_lightning.networks.base import Generator
from srgan_lightning.precision import (
    DTYPES,
    Precision,
    autocast,
    resolve_device,
    resolve_precision,
)
from srgan_lightning.pretrained import boxed, locate

LANES = 4  # pictures at once on a CPU: each waits the longer for its own threads
TRIAL = 8, 8  # height and width of the picture that a network is tried with


class TorchUpscaler(Upscaler):
    """A generator in eval mode on a device.

    Where its layers allow it, a picture goes through it by bands of rows (`rows.RowStream`), which
    is as exact as tiles with a halo and computes nothing twice.

    Args:
        generator: the network; it is copied as it is now, the original stays untouched.
        model: what it is called in metadata.
        device: "auto" or a torch device's name.
        precision: "auto" or a precision; `resolved` says what it came to.
        tile: see `Upscaler`. By bands, as many pixels as a tile of that side has are computed at a
            time.
        tiling: see `Upscaler`.
        ensemble: see `Upscaler`.
        degradation: see `Upscaler`.

    Raises:
        UserError: for a device or a precision that is not to be had, or a tile below one pixel.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        model: str | None = None,
        device: str = "auto",
        precision: Literal["auto"] | Precision = "auto",
        tile: Tile = "auto",
        tiling: Tiling = "exact",
        ensemble: bool = False,
        degradation: str = "",
    ) -> None:
        super().__init__(
            model=model or type(generator).__name__,
            scale=generator.scale,
            halo=generator.halo,
            grid=generator.grid,
            tile=tile,
            tiling=tiling,
            ensemble=ensemble,
            degradation=degradation,
        )
        self.torch_device = resolve_device(device)
        self.device = str(self.torch_device)
        if self.torch_device.type == "cpu":
            self.lanes = min(torch.get_num_threads(), LANES)
        self.resolved = resolve_precision(precision, self.torch_device)
        self._generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self._prepared: dict[str, Generator] = {}
        self._preparing = threading.Lock()
        self._sharing = 1
        self._by_rows = tiling == "exact" and not ensemble and self._goes_by_rows()

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        scale: int = 4,
        device: str = "auto",
        precision: Literal["auto"] | Precision = "auto",
        tile: Tile = "auto",
        tiling: Tiling = "exact",
        ensemble: bool = False,
    ) -> Self:
        """Build an upscaler of what a user calls a model.

        Args:
            model: see `find_generator`.
            scale: of a method by name; a file knows its own.
            device: as the class takes it.
            precision: as the class takes it.
            tile: as the class takes it.
            tiling: as the class takes it.
            ensemble: as the class takes it.

        Raises:
            UserError: as the class does, and for a file that holds no generator.
        """
        known = is_method(model) or boxed(model) is not None
        source = model if known else locate(model)
        generator, facts = find_generator(source, scale=scale)
        label = str(model) if is_method(model) else named(source)
        return cls(
            generator,
            model=label,
            device=device,
            precision=precision,
            tile=tile,
            tiling=tiling,
            ensemble=ensemble,
            degradation=str(facts.get("degradation", "")),
        )

    def precision_for(self, depth: int) -> Precision:
        """Return what samples of so many bits are computed in: bf16 and fp16 serve 8 bits only."""
        return self.resolved.precision if depth == 8 else "32-true"

    def __call__(self, lr: Tensor) -> Tensor:
        """Enlarge image tensors.

        Args:
            lr: float [B, 3, H, W] in [0, 1], on any device.

        Returns:
            float32 [B, 3, scale·H, scale·W] on the upscaler's device, not clamped.
        """
        pictures = lr.detach().float().permute(0, 2, 3, 1).cpu().numpy()
        enlarged = [np.concatenate([*self.strips(picture, depth=8)]) for picture in pictures]
        return torch.from_numpy(np.stack(enlarged)).permute(0, 3, 1, 2).to(self.torch_device)

    @override
    @contextlib.contextmanager
    def sharing(self, lanes: int) -> Iterator[Executor]:
        threads = torch.get_num_threads()
        self._affordable()  # measures the network, which must not be in use
        self._sharing = lanes
        try:
            # Of the thread that calls it, and of those that have not computed yet.
            begin = functools.partial(torch.set_num_threads, threads // lanes)
            with ThreadPoolExecutor(lanes, initializer=begin) as pool:
                yield pool
        finally:
            torch.set_num_threads(threads)
            self._sharing = 1

    def _run(self, lr: NDArray[Any], precision: str) -> Strip:
        with self._computing(precision):
            return _as_strip(self._network(precision)(self._as_image(lr)))

    def _network(self, precision: str) -> Generator:
        """Return the generator made ready to compute at a precision."""
        with self._preparing:
            if precision not in self._prepared:
                dtype = DTYPES[cast(Precision, precision)]
                network = prepared(self._generator, self.torch_device, dtype)
                self._prepared[precision] = network.to(memory_format=self.resolved.memory_format)
            return self._prepared[precision]

    def _affordable(self) -> int:
        spare = memory.budget(self.torch_device) / self._sharing
        return max(int(spare / self._bytes_per_pixel), 1)

    def _margin(self) -> int:
        return 0 if self._by_rows else super()._margin()

    @functools.cached_property
    def _bytes_per_pixel(self) -> float:
        """Bytes that computing takes for each LR pixel of a tile or a band."""
        network = self._network(self.resolved.precision)

        def compute(height: int, width: int) -> Tensor:
            lr = torch.zeros(1, 3, height, width, device=self.torch_device)
            with self._computing(self.resolved.precision):
                sr: Tensor = network(lr.contiguous(memory_format=self.resolved.memory_format))
                return sr.float()

        return bytes_per_pixel(compute)

    def _exact(self, job: Job) -> Iterator[Strip]:
        height, width, _ = job.lr.shape
        if self._by_rows and job.side**2 >= height * width:
            job.side = max(height, width)  # so many pixels may be computed at a time
        if not self._by_rows or job.side >= max(height, width):
            yield from super()._exact(job)
            return
        # What is folded into channels must come in whole squares; what is more is cut off again.
        more = ((0, -height % self.grid), (0, -width % self.grid), (0, 0))
        lr = np.pad(job.lr, more, "edge") if self.grid > 1 else job.lr
        made = 0
        for sr in self._bands(lr, job):
            strip = _as_strip(sr[:, :, : height * self.scale - made, : width * self.scale])
            if len(strip):
                made += len(strip)
                job.told(strip.shape[0] * strip.shape[1])
                yield strip

    def _bands(self, lr: NDArray[Any], job: Job) -> Iterator[Tensor]:
        """Send a picture through the network by bands; where memory is out, by narrower ones."""
        stream = RowStream(self._network(job.precision))
        start = 0
        ending: Iterator[Tensor] | None = None
        while True:
            rows = max(job.side**2 // lr.shape[1], 1)
            rows = -(-rows // self.grid) * self.grid
            band = lr[start : start + rows]
            try:
                with self._computing(job.precision):
                    if len(band):
                        sr = stream.push(self._as_image(band))
                    else:
                        ending = ending or stream.end(rows=rows)
                        sr = next(ending)
            except StopIteration:
                return
            except MemoryError:
                job.side, ending = self._halved(job.side), None
                continue
            start += len(band)
            yield sr

    def _as_image(self, lr: NDArray[Any]) -> Tensor:
        samples = torch.from_numpy(np.require(lr, requirements=["C", "W"]))
        image = samples.permute(2, 0, 1)[None].to(self.torch_device)
        image = image.float() / 255 if image.dtype == torch.uint8 else image
        return image.contiguous(memory_format=self.resolved.memory_format)

    @contextlib.contextmanager
    def _computing(self, precision: str) -> Iterator[None]:
        try:
            with (
                torch.inference_mode(),
                autocast(cast(Precision, precision), self.torch_device),
            ):
                yield
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if memory.is_exhausted(error):
                raise MemoryError(str(error)) from None
            raise

    def _goes_by_rows(self) -> bool:
        """Try a small picture both ways: a rule that does not fit this network would show."""
        lr = torch.linspace(0, 1, 3 * TRIAL[0] * TRIAL[1], device=self.torch_device)
        lr = lr.reshape(1, 3, *TRIAL).sin()
        precision = self.resolved.precision
        network = self._network(precision)
        stream, half = RowStream(network), TRIAL[0] // 2
        try:
            with self._computing(precision):
                bands = [stream.push(lr[:, :, :half]), stream.push(lr[:, :, half:])]
                bands += stream.end(rows=half)
                whole = network(lr)
        except NotByRowsError:
            return False
        by_rows = torch.cat(bands, 2)
        close = 1e-4 if precision == "32-true" else 3e-2
        return by_rows.shape == whole.shape and bool(
            torch.allclose(by_rows, whole, rtol=close, atol=close)
        )


def _as_strip(sr: Tensor) -> Strip:
    strip: Strip = sr[0].permute(1, 2, 0).float().cpu().numpy()
    return strip

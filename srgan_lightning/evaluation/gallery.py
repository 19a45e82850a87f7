"""The pictures that figures were taken of, as files to look at."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.benchmark import Contender
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.imaging.threads import available_cpus
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.pictures import to_picture

RESERVED = ("HR", "LR")


class Gallery:
    """Writes `METHOD/NAME.png`, `HR/NAME.png` and `LR/NAME.png`, 8 bits each, in threads.

    Of a method's several runs the first one's pictures are kept. Within a `with` block call
    `keep`; when the block ends, all files are there.

    Args:
        folder: where to; made when the first picture comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(available_cpus())
        self._kept: dict[Path, Future[None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for future in self._kept.values():
            future.result()

    def keep(self, contender: Contender, pair: BenchmarkPair, sr: Tensor) -> None:
        """Write the three pictures, what is there already but once.

        Raises:
            UserError: for a method that is called HR or LR.
        """
        if contender.method in RESERVED:
            raise UserError(
                f"model: {contender.method} is where the originals go; call the method otherwise: "
                "model={NAME: FILE}"
            )
        for name, image in ((contender.method, sr), ("HR", pair.hr), ("LR", pair.lr)):
            path = self._folder / name / f"{pair.name}.png"
            if path not in self._kept:
                self._kept[path] = self._pool.submit(_write, path, image)


def _write(path: Path, image: Tensor) -> None:
    write_png(path, to_picture(image), compression=1)

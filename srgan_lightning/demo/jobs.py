"""What a page does with a picture: look at it, then enlarge it as `srgan upscale` does."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.encode import write_document
from srgan_lightning.imaging.read import image_size, read_rgb
from srgan_lightning.imaging.write import write_png
from srgan_lightning.inference.documents import enlarge_document
from srgan_lightning.inference.files import plan
from srgan_lightning.inference.provenance import provenance
from srgan_lightning.inference.upscaler import Upscaler

SHOWN = 16_000_000  # pixels that a browser is given to compare; 4096 × 4096 take it 64 MB


@dataclass(frozen=True)
class Enlarged:
    """What became of a picture.

    Attributes:
        file: the enlarged picture, what `srgan upscale` writes.
        before, after: PNG files of equal size to compare: the input enlarged bicubically, and the
            result; both as a viewer shows them, and reduced where they are too large to be shown.
        facts: sizes, model, time and speed, in a line.
        remarks: what reading and writing warned of.
    """

    file: Path
    before: Path
    after: Path
    facts: str
    remarks: tuple[str, ...]


def look(source: Path, *, max_megapixels: float) -> NDArray[np.uint8]:
    """Read an uploaded picture as a viewer shows it, if it is one and not too large.

    Returns:
        uint8 `[H, W, 3]`, sRGB.

    Raises:
        UserError: it is no picture, has more pixels than allowed, or is of floating point.
    """
    with _by_name(source):
        height, width = image_size(source)
        megapixels = height * width / 1e6
        if megapixels > max_megapixels:
            raise UserError(
                f"{source}: {width} × {height} are {megapixels:.2f} MP, and this page takes at "
                f"most {max_megapixels:g}; reduce the picture, or use srgan upscale"
            )
        try:
            return read_rgb(source)
        except ValueError as error:
            raise UserError(f"{source}: is not shown here ({error}); use srgan upscale") from None


def enlarge(
    source: Path,
    folder: Path,
    upscaler: Upscaler,
    *,
    name: str,
    max_megapixels: float,
    on_progress: Callable[[float], None],
) -> Enlarged:
    """Enlarge an uploaded picture.

    Args:
        source: the picture.
        folder: where the results are written.
        upscaler: the model.
        name: what the facts call the model.
        max_megapixels: as `look` takes it.
        on_progress: called with the part that is done, up to 1.

    Raises:
        UserError: as `look` does.
    """
    lr = look(source, max_megapixels=max_megapixels)
    scale = upscaler.scale
    height, width = lr.shape[0] * scale, lr.shape[1] * scale
    done = 0

    def advance(pixels: int) -> None:
        nonlocal done
        done += pixels
        on_progress(min(1.0, done / (height * width)))

    with _by_name(source), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (task,) = plan([source], folder, suffix=f"_x{scale}")
        start = time.perf_counter()
        document = enlarge_document(read_document(source), upscaler, on_tile=advance)
        told = provenance(upscaler, depth=document.depth)
        write_document(task.target, document, provenance=told)
        seconds = time.perf_counter() - start
    sizes = f"{lr.shape[1]} × {lr.shape[0]} to {width} × {height} pixels"
    speed = f"{seconds:.1f} s ({height * width / 1e6 / seconds:.2f} MP/s)"
    facts = [sizes, name, speed, upscaler.precision_for(document.depth)]
    shown = min(1.0, (SHOWN / (height * width)) ** 0.5)
    size = max(1, round(width * shown)), max(1, round(height * shown))
    if shown < 1:
        facts.append(f"shown at {shown:.0%}, the download is whole")
    before, after = folder / "before.png", folder / "after.png"
    for path, picture in ((before, lr), (after, read_rgb(task.target))):
        resized = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        write_png(path, np.asarray(resized), compression=1)
    remarks = (_without_folder(str(warning.message), source) for warning in caught)
    return Enlarged(task.target, before, after, " · ".join(facts), tuple(remarks))


@contextmanager
def _by_name(source: Path) -> Iterator[None]:
    """Let errors call a picture by its name; where the server keeps it is nobody's business."""
    try:
        yield
    except UserError as error:
        raise UserError(_without_folder(str(error), source)) from None


def _without_folder(message: str, source: Path) -> str:
    return message.replace(str(source), source.name)

"""An animation enlarged picture by picture."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from srgan_lightning.imaging.animation import Cel, opened_animation, write_animation
from srgan_lightning.imaging.document import Document
from srgan_lightning.inference.documents import enlarge_document
from srgan_lightning.inference.planes import fill
from srgan_lightning.inference.upscaler import Upscaler


def enlarge_animation(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    provenance: Mapping[str, str],
    on_tile: Callable[[int], None] | None = None,
) -> int:
    """Enlarge an animated GIF, WebP or PNG; durations, plays and metadata stay.

    All enlarged pictures are in memory before the first is written, as Pillow wants it.

    Args:
        source: the file to read.
        target: the file to write: .webp (lossless), .png or .apng, .gif.
        upscaler: as `enlarge_document` takes it.
        provenance: goes to the file's metadata.
        on_tile: as `Upscaler.enlarge` takes it.

    Returns:
        How many pictures it has.

    Raises:
        UserError: the source is broken, or the target's suffix another.
    """
    with opened_animation(source) as animation:
        cels = [
            Cel(
                enlarge_document(_filled(cel.document), upscaler, on_tile=on_tile), cel.milliseconds
            )
            for cel in animation
        ]
    write_animation(target, cels, plays=animation.plays, provenance=provenance)
    return len(cels)


def _filled(document: Document) -> Document:
    """Give pixels that are not there their neighbours' colour, lest it seep in as a dark rim."""
    alpha = document.alpha
    if alpha is None or not alpha.any():
        return document
    seen = alpha > 0
    channels = [fill(document.colour[..., c].astype(np.float64), seen) for c in range(3)]
    return replace(document, colour=np.rint(np.stack(channels, axis=2)).astype(np.uint8))

"""An animation enlarged picture by picture."""

from collections.abc import Mapping
from pathlib import Path

from srgan_lightning.imaging.animation import Cel, opened_animation, write_animation
from srgan_lightning.inference.documents import enlarge_document
from srgan_lightning.inference.size import Wanted
from srgan_lightning.inference.upscaler import OnTile, Upscaler


def enlarge_animation(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    *,
    wanted: Wanted | None = None,
    provenance: Mapping[str, str],
    on_tile: OnTile | None = None,
) -> int:
    """Enlarge an animated GIF, WebP or PNG; durations, plays and metadata stay.

    All enlarged pictures are in memory before the first is written, as Pillow wants it.

    Args:
        source: the file to read.
        target: the file to write: .webp (lossless), .png or .apng, .gif.
        upscaler: as `enlarge_document` takes it.
        wanted: the size; None is what the model makes.
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
                enlarge_document(cel.document, upscaler, wanted=wanted, on_tile=on_tile),
                cel.milliseconds,
            )
            for cel in animation
        ]
    write_animation(target, cels, plays=animation.plays, provenance=provenance)
    return len(cels)

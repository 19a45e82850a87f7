"""A document enlarged: colour by the generator, opacity by interpolation, the rest kept."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srgan_lightning.imaging.document import LEVELS, Document, Layout
from srgan_lightning.inference.planes import Plane, fill
from srgan_lightning.inference.resample import Mask, Size
from srgan_lightning.inference.samples import quantised
from srgan_lightning.inference.size import Wanted
from srgan_lightning.inference.upscaler import OnTile, Upscaler


def enlarge_document(
    document: Document,
    upscaler: Upscaler,
    *,
    wanted: Wanted | None = None,
    on_tile: OnTile | None = None,
) -> Document:
    """Enlarge a picture with all that belongs to it, in memory; see `enlarged_strips`."""
    layout, strips = enlarged_strips(document, upscaler, wanted=wanted, on_tile=on_tile)
    samples = np.concatenate([*strips])
    colour = np.ascontiguousarray(samples[..., : layout.channels])
    return Document(colour, samples[..., -1] if layout.alpha else None, layout.metadata)


def enlarged_strips(
    document: Document,
    upscaler: Upscaler,
    *,
    wanted: Wanted | None = None,
    on_tile: OnTile | None = None,
) -> tuple[Layout, Iterator[NDArray[Any]]]:
    """Enlarge a picture strip by strip, with all that belongs to it.

    Grey goes through the generator as RGB of equal channels and comes back as their mean. Floating
    point is stretched as `Plane` says. Opacity is enlarged bicubically; colour that it hides wholly
    is taken from around. Where another size is
    wanted than the model makes, what it made is reduced bicubically before it is rounded.

    Args:
        document: the picture.
        upscaler: of 8 bits it computes at its own precision, of more in float32.
        wanted: the size; None is what the model makes.
        on_tile: as `Upscaler.enlarge` takes it.

    Returns:
        What the enlarged picture is, and its samples `[rows, W, 1 to 4]` from top to bottom.

    Raises:
        UserError: for a size beyond what the model makes.
    """
    document = _filled(document)
    height, width, _ = document.colour.shape
    size = (wanted or Wanted()).of(height, width, most=upscaler.scale)
    layout = replace(document.layout, height=size[0], width=size[1])

    if layout.depth == 32:
        colour = _floating(document.colour, upscaler, size, on_tile)
    else:
        made = upscaler.strips(document.colour, size=size, on_tile=on_tile)
        colour = (quantised(strip, layout.dtype) for strip in made)
    if document.alpha is None:
        return layout, colour
    return layout, _with_opacity(colour, Mask(document.alpha, size=size), layout)


def _filled(document: Document) -> Document:
    """Give pixels that are not there their neighbours' colour, lest it seep in as a dark rim."""
    colour, alpha = document.colour, document.alpha
    if alpha is None or alpha.all() or not alpha.any() or colour.dtype not in LEVELS:
        return document
    seen = alpha > 0
    channels = [fill(colour[..., c].astype(np.float64), seen) for c in range(colour.shape[2])]
    return replace(document, colour=np.rint(np.stack(channels, axis=2)).astype(colour.dtype))


def _floating(
    colour: NDArray[Any], upscaler: Upscaler, size: Size, on_tile: OnTile | None
) -> Iterator[NDArray[Any]]:
    """Enlarge each channel as a plane of values."""
    planes = [Plane(colour[..., channel]) for channel in range(colour.shape[2])]
    made = [
        plane.restored(upscaler.strips(plane.unit, size=size, on_tile=on_tile), size=size)
        for plane in planes
    ]
    for rows in zip(*made, strict=True):
        yield np.stack(rows, axis=2).astype(np.float32)


def _with_opacity(
    colour: Iterator[NDArray[Any]], mask: Mask, layout: Layout
) -> Iterator[NDArray[Any]]:
    top = 0
    for strip in colour:
        alpha = mask.rows(top, top + len(strip))
        if layout.dtype in LEVELS:
            alpha = np.rint(alpha.clip(0, LEVELS[layout.dtype]))
        yield np.concatenate([strip, alpha.astype(layout.dtype)], axis=2)
        top += len(strip)

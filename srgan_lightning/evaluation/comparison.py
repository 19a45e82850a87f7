"""A picture that shows methods side by side: the whole, and the same detail of each, enlarged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from srgan_lightning.inference.pictures import Picture, to_tensor
from srgan_lightning.metrics.functional import high_frequency_energy

GAP = 8
CAPTION = 30
FONT_SIZE = 19
PAPER, INK, MARK = (255, 255, 255), (24, 24, 24), (255, 64, 32)


@dataclass(frozen=True)
class Box:
    """A square part of a picture, in its pixels."""

    top: int
    left: int
    side: int


def most_detailed(picture: Picture, *, side: int = 112) -> Box:
    """Find the square with the most high-frequency energy, on a grid of half its side.

    Args:
        picture: uint8 [H, W, 3].
        side: of the square in pixels; a smaller picture gives a smaller square.
    """
    side = min(side, *picture.shape[:2])
    step = max(side // 2, 1)
    windows = to_tensor(picture)[0].unfold(1, side, step).unfold(2, side, step)
    rows, columns = windows.shape[1:3]
    squares = windows.permute(1, 2, 0, 3, 4).reshape(rows * columns, 3, side, side)
    best = int(high_frequency_energy(squares, crop=0).argmax())
    return Box(best // columns * step, best % columns * step, side)


def comparison_picture(
    rows: Sequence[Mapping[str, Picture]],
    *,
    titles: Sequence[str] | None = None,
    boxes: Sequence[Box] | None = None,
    side: int = 112,
    zoom: int = 3,
) -> Picture:
    """Draw a sheet with a row for each photograph.

    A row starts with the whole photograph, small, its detail marked; then comes this detail as
    each method shows it, under the method's name, enlarged by repeating pixels so that nothing is
    smoothed.

    Args:
        rows: pictures by caption, usually LR, bicubic, SR and HR; the last one sets the size,
            smaller ones (LR) are enlarged to it by repeating pixels.
        titles: captions of the whole photographs.
        boxes: the details, in the pixels of the last picture; chosen by `most_detailed` if None.
        side: of a chosen detail, in pixels.
        zoom: how many times a detail is enlarged.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: for no rows, or a picture whose size does not divide the last one's.
    """
    if not rows:
        raise ValueError("a comparison wants at least one row of pictures")
    strips = []
    for index, panels in enumerate(rows):
        reference = list(panels.values())[-1]
        box = boxes[index] if boxes is not None else most_detailed(reference, side=side)
        title = titles[index] if titles is not None else ""
        strips.append(_strip(title, panels, reference, box, zoom))
    width = max(strip.width for strip in strips)
    sheet = Image.new("RGB", (width, sum(strip.height for strip in strips) + GAP), PAPER)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return np.asarray(sheet)


def _strip(
    title: str, panels: Mapping[str, Picture], reference: Picture, box: Box, zoom: int
) -> Image.Image:
    tile = box.side * zoom
    cells = [(title, _overview(reference, box, tile))]
    for caption, picture in panels.items():
        detail = _enlarge_to(picture, reference, caption)[
            box.top : box.top + box.side, box.left : box.left + box.side
        ]
        cells.append((caption, Image.fromarray(_repeat(detail, zoom))))
    strip = Image.new("RGB", (len(cells) * (tile + GAP) + GAP, CAPTION + tile), PAPER)
    draw = ImageDraw.Draw(strip)
    for index, (caption, cell) in enumerate(cells):
        left = GAP + index * (tile + GAP)
        font = _fitting_font(draw, caption, tile)
        draw.text((left + tile // 2, CAPTION // 2 + 2), caption, fill=INK, font=font, anchor="mm")
        at = (left + (tile - cell.width) // 2, CAPTION + (tile - cell.height) // 2)
        strip.paste(cell, at)
    return strip


def _overview(picture: Picture, box: Box, tile: int) -> Image.Image:
    whole = Image.fromarray(picture)
    ratio = tile / max(whole.size)
    size = (max(round(whole.width * ratio), 1), max(round(whole.height * ratio), 1))
    small = whole.resize(size, Image.Resampling.LANCZOS)
    corners = [box.left, box.top, box.left + box.side, box.top + box.side]
    ImageDraw.Draw(small).rectangle([round(c * ratio) for c in corners], outline=MARK, width=3)
    return small


def _enlarge_to(picture: Picture, reference: Picture, caption: str) -> Picture:
    times = reference.shape[0] // picture.shape[0]
    if (picture.shape[0] * times, picture.shape[1] * times) != reference.shape[:2]:
        raise ValueError(
            f"{caption}: {list(picture.shape[:2])} does not divide {list(reference.shape[:2])}"
        )
    return _repeat(picture, times)


def _repeat(picture: Picture, times: int) -> Picture:
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def _fitting_font(
    draw: ImageDraw.ImageDraw, caption: str, width: int
) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    size = FONT_SIZE
    font = ImageFont.load_default(size)
    while size > 8 and draw.textlength(caption, font=font) > width:
        size -= 1
        font = ImageFont.load_default(size)
    return font

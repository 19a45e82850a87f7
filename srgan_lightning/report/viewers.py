"""For each picture a slider between two methods; every distinct picture is embedded once."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from srgan_lightning.evaluation.words import heading
from srgan_lightning.imaging.read import image_size
from srgan_lightning.report.figures import written
from srgan_lightning.report.groups import Group
from srgan_lightning.report.records import Figures


@dataclass
class Store:
    """The pictures that the page holds, as data URIs by key; equal files share a key."""

    pictures: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path) -> str:
        """Embed a PNG file, unless it is there already, and return its key.

        Raises:
            UserError: for a file that is no picture.
        """
        image_size(path)
        content = path.read_bytes()
        key = hashlib.sha256(content).hexdigest()[:16]
        if key not in self.pictures:
            self.pictures[key] = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        return key


@dataclass(frozen=True)
class Side:
    """What can stand left or right of the slider."""

    name: str
    path: Path
    figures: Figures


def viewable(group: Group) -> list[str]:
    """Return the pictures of a group of which two versions or more were saved."""
    return [name for name in group.pictures if len(_sides(group, name)) > 1]


def viewer(group: Group, picture: str, store: Store) -> str:
    """Return the slider of one picture, and embed what it shows.

    It opens with the first method on the left and the last one on the right.

    Raises:
        UserError: for a file that is no picture.
    """
    sides = _sides(group, picture)
    keys = [store.add(side.path) for side in sides]
    methods = [i for i, side in enumerate(sides) if side.figures] or list(range(len(sides)))
    left, right = methods[0], methods[-1] if len(methods) > 1 else len(sides) - 1
    height, width = image_size(group.hr.get(picture, sides[left].path))
    name = escape(picture)
    return f"""
<figure class="viewer" data-width="{width}" data-height="{height}">
  <figcaption>{name} <span class="size">{width} × {height}</span></figcaption>
  <div class="bar">
    {_select("left", sides, keys, left)}
    <span class="zoom" role="group" aria-label="Zoom">
      <button type="button" data-zoom="out" aria-label="Zoom out">−</button>
      <output aria-live="off"></output>
      <button type="button" data-zoom="in" aria-label="Zoom in">+</button>
      <button type="button" data-zoom="fit">Fit</button>
    </span>
    {_select("right", sides, keys, right)}
  </div>
  <div class="stage" tabindex="0" role="group" aria-label="{name}, two methods compared. Plus and \
minus zoom, arrow keys move, 0 fits the whole picture.">
    <div class="layer" data-side="left"><img alt="" draggable="false"></div>
    <div class="layer" data-side="right"><img alt="" draggable="false"></div>
    <span class="tag" data-side="left"></span><span class="tag" data-side="right"></span>
    <div class="divider" role="slider" tabindex="0" aria-label="Border between left and right" \
aria-valuemin="0" aria-valuemax="100" aria-valuenow="50"></div>
  </div>
  {_figures_table(group, sides)}
</figure>"""


def _sides(group: Group, picture: str) -> list[Side]:
    sides = [
        Side(method.name, method.files[picture], method.pictures[picture])
        for method in group.methods
        if picture in method.files
    ]
    if picture in group.lr:
        sides.insert(0, Side("LR", group.lr[picture], {}))
    if picture in group.hr:
        sides.append(Side("HR", group.hr[picture], {}))
    return sides


def _select(side: str, sides: Sequence[Side], keys: Sequence[str], chosen: int) -> str:
    options = "".join(
        f'<option value="{index}" data-picture="{key}"{" selected" if index == chosen else ""}>'
        f"{escape(one.name)}</option>"
        for index, (one, key) in enumerate(zip(sides, keys, strict=True))
    )
    return f'<label>{side.capitalize()} <select data-side="{side}">{options}</select></label>'


def _figures_table(group: Group, sides: Sequence[Side]) -> str:
    measured: Mapping[str, None] = {
        name: None for name in group.figures if any(name in side.figures for side in sides)
    }
    if not measured:
        return ""
    head = "".join(
        f'<th scope="col" class="number">{escape(heading(name))}</th>' for name in measured
    )
    rows = []
    for index, side in enumerate(sides):
        cells = "".join(
            f'<td class="number">{escape(written(name, side.figures[name]))}</td>'
            if name in side.figures
            else '<td class="number">–</td>'
            for name in measured
        )
        rows.append(
            f'<tr data-index="{index}"><th scope="row">{escape(side.name)}</th>{cells}</tr>'
        )
    return (
        f'<div class="scroll"><table class="figures"><thead><tr><th scope="col">this picture</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )

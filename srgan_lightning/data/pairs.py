"""HR pictures and their LR partners, found by name and checked by size."""

import re
from pathlib import PurePosixPath

from srgan_lightning.data.pictures import Source
from srgan_lightning.errors import UserError

# The endings by which the field's data sets tell LR from HR: 0801x4, baby_HR, Canon_001_LR4,
# img_001_SRF_4_HR.
_ENDING = re.compile(r"(_srf_\d)?([_-](hr|lr)\d?|[_-]?x[2-8][a-z]?)?$", re.IGNORECASE)


def pair_key(name: str) -> str:
    """Return what the two files of a pair have in common.

    >>> pair_key("0801.png") == pair_key("0801x4.png")
    True
    >>> pair_key("Canon/Test/4/Canon_001_LR4.png")
    'Canon/Test/4/Canon_001'
    """
    path = PurePosixPath(name)
    return str(path.parent / (_ENDING.sub("", path.stem) or path.stem))


def match_pairs(hr: Source, lr: Source, *, scale: int) -> tuple[Source, Source]:
    """Bring LR pictures into the order of their HR partners.

    Pairs of which one file was left out when its source was opened are left out as well.

    Raises:
        UserError: a picture without a partner, two for one, or sizes that do not fit the scale
            (HR may be larger by less than `scale` pixels).
    """
    places = _places(lr)
    lost = {pair_key(name) for name in (*hr.rejected, *lr.rejected)}
    ours: list[int] = []
    theirs: list[int] = []
    for index, key in enumerate(_places(hr)):
        if key in lost:
            continue
        if key not in places:
            raise UserError(f"{hr.names[index]}: has no LR partner; files pair up by their names")
        ours.append(index)
        theirs.append(places.pop(key))
    unpaired = sorted(set(places) - lost)
    if unpaired:
        raise UserError(f"{lr.names[places[unpaired[0]]]}: has no HR partner")
    if not ours:
        raise UserError("data: no pair has both of its pictures; the warnings say why")
    for i, j in zip(ours, theirs, strict=True):
        _check_sizes(hr, i, lr, j, scale)
    return hr.subset(ours), lr.subset(theirs)


def _places(source: Source) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, name in enumerate(source.names):
        other = places.setdefault(pair_key(name), index)
        if other != index:
            raise UserError(f"{name}: cannot be told from {source.names[other]} when pairing")
    return places


def _check_sizes(hr: Source, i: int, lr: Source, j: int, scale: int) -> None:
    (height, width), (low_height, low_width) = hr.sizes[i], lr.sizes[j]
    if (height // scale, width // scale) != (low_height, low_width):
        raise UserError(
            f"{lr.names[j]}: is {low_height}x{low_width}, but a scale of {scale} and "
            f"{hr.names[i]} ({height}x{width}) ask for {height // scale}x{width // scale}"
        )

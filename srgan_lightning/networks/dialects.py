"""The names that the weights of RRDBNet and MSRResNet had before BasicSR gave them today's.

ESRGAN's first code numbered the parts of a sequence (`model.1.sub.0.RDB1.conv1.0.weight`), its
second named them (`RRDB_trunk.0.RDB1.conv1.weight`); many weights in circulation have these names.
"""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

FIRST = (
    (r"model\.0\.", "conv_first."),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"model\.1\.sub\.\d+\.(?=weight|bias)", "conv_body."),
)
SECOND = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
    (r"recon_trunk\.", "body."),
    (r"trunk_conv\.", "conv_body."),
    (r"HRconv\.", "conv_hr."),
)


def modern_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Put weights under today's names; those of other networks keep theirs.

    Returns:
        The weights, and which old names they had: "first", "second" or "".
    """
    if "model.1.sub.0.RDB1.conv1.0.weight" in tensors:
        return _renamed(tensors, (*FIRST, *_ends(tensors))), "first"
    if "RRDB_trunk.0.RDB1.conv1.weight" in tensors:
        return _renamed(tensors, (*SECOND, (r"upconv(\d)\.", r"conv_up\1."))), "second"
    if "recon_trunk.0.conv1.weight" in tensors:
        return _renamed(tensors, SECOND), "second"
    return dict(tensors), ""


def _ends(tensors: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """Name what follows the trunk in a numbered network: any enlargements, then two layers."""
    numbers = {int(found[1]) for key in tensors if (found := re.match(r"model\.(\d+)\.", key))}
    after = sorted(numbers - {0, 1})
    enlargements = [f"conv_up{count}." for count in range(1, len(after) - 1)]
    names = [*enlargements, "conv_hr.", "conv_last."]
    return [(rf"model\.{number}\.", name) for number, name in zip(after, names, strict=False)]


def _renamed(tensors: Mapping[str, Tensor], names: Iterable[tuple[str, str]]) -> dict[str, Tensor]:
    renamed = {}
    for key, value in tensors.items():
        fitting = ((old, new) for old, new in names if re.match(old, key))
        old, new = next(fitting, ("", ""))
        renamed[re.sub(old, new, key, count=1)] = value
    return renamed

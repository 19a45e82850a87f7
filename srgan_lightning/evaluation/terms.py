"""The pairs that a config of `srgan evaluate` names, and the terms to measure them by."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srgan_lightning.degradations import DEGRADATIONS, Burst, Degradation
from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.bursts import BurstPairs, describe_alignment
from srgan_lightning.evaluation.config import EvaluateConfig
from srgan_lightning.evaluation.pairs import DegradedPairs, GivenPairs
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.sets import find_set, verify_set
from srgan_lightning.samples import sample_folder

BURST_BORDER = 4  # LR pixels, which not all frames show


def find_pairs(
    asked: EvaluateConfig, *, fusing: bool = False
) -> tuple[DegradedPairs | GivenPairs, Protocol]:
    """Return the pairs that a config names, and the terms to measure them by.

    Args:
        asked: the config.
        fusing: whether bursts are to be fused, and so registered.

    Raises:
        UserError: for folders that are missing or unfit, a set that is not what it is called, or
            an unknown degradation.
    """
    space = asked.protocol.space
    hr = Path(asked.data.hr).expanduser() if asked.data.hr else None
    pictures = ""
    if asked.data.set is not None:
        hr = find_set(asked.data.set, root=Path(asked.data.root).expanduser(), hr=hr)
        pictures = verify_set(asked.data.set, hr, space=space)
    hr = hr or sample_folder("heldout")
    pairs: DegradedPairs | GivenPairs
    crop, alignment = asked.scale, ""
    if asked.data.lr:
        lr = Path(asked.data.lr).expanduser()
        pairs, origin = GivenPairs(hr, lr, scale=asked.scale), f"given files ({lr.name})"
    elif burst := find_burst(asked):
        pairs = BurstPairs(hr, degradation=burst, seed=asked.seed, registering=fusing)
        origin, alignment = burst.describe(), describe_alignment(burst)
        crop *= BURST_BORDER
    else:
        degradation = build_degradation(asked.degradation, scale=asked.scale)
        pairs = DegradedPairs(hr, degradation=degradation, seed=asked.seed)
        origin = degradation.describe()
    return pairs, Protocol(
        degradation=origin,
        space=space,
        crop=crop if asked.protocol.crop is None else asked.protocol.crop,
        pictures=pictures,
        alignment=alignment,
    )


def find_burst(asked: EvaluateConfig) -> Burst | None:
    """Return the degradation that a config names where it makes bursts."""
    if asked.data.lr:
        return None
    degradation = build_degradation(asked.degradation, scale=asked.scale)
    return degradation if isinstance(degradation, Burst) else None


def build_degradation(node: Mapping[str, Any], *, scale: int) -> Degradation:
    """Build the degradation that a config node describes.

    Raises:
        UserError: for an unknown name or argument.
    """
    if "name" not in node:
        raise UserError(f"degradation.name: is required; one of {', '.join(DEGRADATIONS)}")
    arguments = {key: value for key, value in node.items() if key != "name"}
    return DEGRADATIONS.build(node["name"], arguments, scale=scale)

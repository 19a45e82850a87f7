"""This project's part of a checkpoint."""

from collections.abc import Mapping
from typing import Any

from srgan_lightning.errors import UserError
from srgan_lightning.networks.weights import CHECKPOINT_VERSION


def migrate(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return this project's part of a Lightning checkpoint, brought up to the current format.

    Raises:
        UserError: the checkpoint comes from another program or from a newer version of this one.
    """
    own = checkpoint.get("srgan_lightning")
    if not isinstance(own, dict) or "format_version" not in own:
        raise UserError("this checkpoint was not written by srgan_lightning")
    if own["format_version"] > CHECKPOINT_VERSION:
        raise UserError(
            f"this checkpoint has format version {own['format_version']}, this program reads up "
            f"to {CHECKPOINT_VERSION}: update srgan-lightning"
        )
    return dict(own)

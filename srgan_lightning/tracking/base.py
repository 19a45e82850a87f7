"""What every tracker of a run offers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning.loggers.logger import Logger


class Tracker(Logger):
    """A Lightning logger that also takes pictures and is closed by the run, not by the Trainer.

    The Trainer finalizes its loggers when the fit ends, but a run's final figures come later.
    """

    @property
    def version(self) -> str:
        """The run's id within the tracker."""
        return "0"

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: a tracker gets the config when it is made."""

    def log_picture(self, name: str, picture: NDArray[np.uint8], *, step: int) -> None:
        """Log a picture `[H, W, 3]` of generator step `step`; trackers without pictures pass."""

    def log_data(self, about: Mapping[str, Any]) -> None:
        """Log what the run learns from; trackers without artifacts pass."""

    def log_checkpoints(self) -> None:
        """Log the checkpoints in the run folder; trackers without artifacts pass."""

    def make_way(self) -> None:
        """Note that the run ends only to go on later, since others need its place."""

    def finalize(self, status: str) -> None:
        """End a failed run as failed; a good one goes on until `close`, for its final figures."""
        if status != "success":
            self.close(exit_code=1)

    def close(self, *, exit_code: int = 0) -> None:
        """End the run as succeeded (0) or failed."""

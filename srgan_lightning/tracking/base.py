"""What every tracker of a run offers."""

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

    def make_way(self) -> None:
        """Note that the run ends only to go on later, since others need its place."""

    def close(self, *, exit_code: int = 0) -> None:
        """End the run as succeeded (0) or failed."""

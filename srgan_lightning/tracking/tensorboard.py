"""TensorBoard: event files in the run folder, without any account."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning.utilities import rank_zero_only

from srgan_lightning.errors import UserError
from srgan_lightning.tracking.base import Tracker

FLUSH_SECONDS = 30


class TensorBoardTracker(Tracker):
    """Writes figures, pictures and the config with the generator step as x axis.

    The event files lie in the run folder itself, so TensorBoard names the runs of a sweep's folder
    by their jobs. Its HPARAMS table has a line for each run.

    Args:
        folder: the run folder.
        config: the composed config, plain containers.
        resume_step: what was written after this generator step is hidden: it will come again.

    Raises:
        UserError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, *, config: Mapping[str, Any], resume_step: int = 0) -> None:
        super().__init__()
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise UserError(
                "logger.tensorboard=true: needs TensorBoard; "
                "pip install 'srgan-lightning[tensorboard]'"
            ) from None
        self._folder = folder
        self._config = config
        self._resume_step = resume_step
        self._writer: Any = None

    @property
    def name(self) -> str:
        """The tracker's name."""
        return "tensorboard"

    @property
    def writer(self) -> Any:
        """The writer, opened at first use."""
        if self._writer is None:
            from tensorboard.plugins.hparams.summary_v2 import hparams_pb
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(
                str(self._folder),
                purge_step=self._resume_step + 1 if self._resume_step else None,
                flush_secs=FLUSH_SECONDS,
            )
            self._writer.file_writer.add_summary(hparams_pb(dict(flat(self._config))))
        return self._writer

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log figures of generator step `step`."""
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    @rank_zero_only
    def log_picture(self, name: str, picture: NDArray[np.uint8], *, step: int) -> None:
        """Log a picture `[H, W, 3]`."""
        self.writer.add_image(name, picture, step, dataformats="HWC")

    @rank_zero_only
    def close(self, *, exit_code: int = 0) -> None:
        """End the run."""
        if self._writer is not None:
            self._writer.file_writer.add_summary(_session_end(exit_code))
            self._writer.close()
            self._writer = None
        self._resume_step = 0


def _session_end(exit_code: int) -> Any:
    """Return what tells TensorBoard that a run has ended, and how.

    TensorBoard's own function for it needs TensorFlow.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if exit_code else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    data = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return Summary(value=[value])


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | float | str]]:
    """Return the leaves of nested options by their whole keys, as TensorBoard takes them.

    >>> dict(flat({"loss": {"pixel": {"weight": 1}}, "layers": ["a"], "name": None}))
    {'loss.pixel.weight': 1, 'layers': "['a']", 'name': 'None'}
    """
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, bool | int | float) else str(value)

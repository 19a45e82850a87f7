"""`metrics.csv`: every figure of a run, a row a generator step, without any service."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.utilities import rank_zero_only

from srgan_lightning.tracking.base import Tracker


class CSVTracker(Tracker):
    """Appends figures to one CSV file and goes on with it when a run is resumed.

    Lightning's own CSVLogger deletes what it finds. Figures logged at the same step share a row;
    a figure that turns up later adds a column.

    Args:
        path: the file.
        resume_step: rows after this generator step are dropped: they will be written again.
    """

    def __init__(self, path: Path, *, resume_step: int = 0) -> None:
        super().__init__()
        self.path = path
        self._columns = ["step"]
        self._rows: list[dict[str, Any]] = []
        if path.exists() and resume_step:
            with path.open(newline="") as file:
                reader = csv.DictReader(file)
                self._columns = list(reader.fieldnames or self._columns)
                self._rows = [row for row in reader if int(row["step"]) <= resume_step]
        self._written = 0

    @property
    def name(self) -> str:
        """The tracker's name."""
        return "csv"

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add figures of generator step `step`."""
        new = [name for name in metrics if name not in self._columns]
        self._columns += new
        same = bool(self._rows) and int(self._rows[-1]["step"]) == step
        if same:
            self._rows[-1].update(metrics)
        else:
            self._rows.append({"step": step, **metrics})
        if new or same or not self._written:
            self._rewrite()
        else:
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self._columns).writerow(self._rows[-1])

    def _rewrite(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.part")
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(self._rows)
        temporary.replace(self.path)
        self._written = len(self._rows)

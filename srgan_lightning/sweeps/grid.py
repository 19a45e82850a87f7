"""Hydra's own grid of all combinations, with its jobs kept in the books."""

from typing import Any

from hydra.core.plugins import Plugins

from srgan_lightning.sweeps.jobs import Jobs

Plugins.instance()  # first: its scan executes Hydra's own sweeper once more
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402


class GridSweeper(BasicSweeper):
    """Hydra's basic sweeper, which a failed job does not stop and which goes on in its folder."""

    def setup(self, **context: Any) -> None:
        """Keep books on the launcher."""
        super().setup(**context)
        assert self.launcher is not None
        self.jobs = Jobs(self.launcher, context["config"])
        self.launcher = self.jobs

    def sweep(self, arguments: list[str]) -> Any:
        """Run all combinations; afterwards tell what failed."""
        returns = super().sweep(arguments)
        self.jobs.tell_failures()
        return returns

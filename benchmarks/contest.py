"""Contenders that take turns, and the table of what they needed."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

console = Console()


@dataclass(frozen=True)
class Times:
    """What contenders needed, round by round.

    Attributes:
        seconds: by contender, one figure a round.
    """

    seconds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        """Return a contender's median, in seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """Return the median over rounds of how many times as fast `fast` was as `slow`."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def difference(self, name: str, other: str) -> float:
        """Return the median over rounds of what `name` needed beyond `other`, in seconds."""
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return statistics.median(a - b for a, b in pairs)


def contest(contenders: Mapping[str, Callable[[], float]], *, rounds: int) -> Times:
    """Let contenders take turns, so that another program's burst of work falls on all alike.

    Args:
        contenders: by name, what returns the seconds of one unit of its work.
        rounds: how often each has its turn.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in track(range(rounds), "rounds", console=console, transient=True):
        for name, turn in contenders.items():
            seconds[name].append(turn())
    return Times(seconds)


def table(title: str, *columns: str) -> Table:
    """Begin a table: the first column for names, the others for figures."""
    begun = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        begun.add_column(column, justify="right" if index else "left")
    return begun


def goal(reached: bool, words: str) -> str:
    """Say whether a goal was reached, in a word and a colour."""
    return f"[green]{words}: reached[/]" if reached else f"[red]{words}: missed[/]"


def machine(device: torch.device) -> str:
    """Describe what the figures were taken on."""
    if device.type == "cuda":
        return f"torch {torch.__version__}, {torch.cuda.get_device_name(device)}"
    return f"torch {torch.__version__}, {device.type}, {torch.get_num_threads()} threads"

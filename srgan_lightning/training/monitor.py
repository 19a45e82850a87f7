"""Is the game between the two networks still a game?"""

from collections.abc import Mapping

import torch
from torch import Tensor


class StabilityMonitor:
    """Watches the discriminator's accuracy and says in words when the game is lost.

    The figures stay on the device between two readings.

    Args:
        critic: whether the discriminator may be right always, which is the aim of a Wasserstein
            critic: its slope is held, and the generator goes on learning from it.
        patience: readings in a row that must agree before it speaks.
    """

    WINS = 0.98
    LOSES = 0.1

    def __init__(self, *, critic: bool = False, patience: int = 5) -> None:
        self.critic = critic
        self.patience = patience
        self._verdicts: list[str] = []
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    @torch.no_grad()
    def update(self, margin_hr: Tensor, margin_sr: Tensor) -> None:
        """Count the discriminator's right answers on one batch of HR and SR.

        Args:
            margin_hr: by how much it is right, of any shape (see `AdversarialLoss.margins`).
            margin_sr: the same for SR.
        """
        for name, margin in (("hr", margin_hr), ("sr", margin_sr)):
            share = (margin > 0).float().mean()
            self._sums[name] = self._sums[name] + share if name in self._sums else share
        self._count += 1

    def read(self) -> dict[str, float]:
        """Return the mean accuracies on HR and SR since the last reading, and start anew."""
        if not self._count:
            return {}
        accuracy = {
            f"d_accuracy/{name}": float(total) / self._count for name, total in self._sums.items()
        }
        self._sums, self._count = {}, 0
        return accuracy

    def judge(self, figures: Mapping[str, float]) -> str | None:
        """Return a warning when the last `patience` readings tell the same bad story.

        Example:
            >>> monitor = StabilityMonitor(patience=1)
            >>> monitor.judge({"d_accuracy/hr": 1.0, "d_accuracy/sr": 1.0})[:22]
            'the discriminator wins'
        """
        if "d_accuracy/hr" not in figures:
            return None
        hr, sr = figures["d_accuracy/hr"], figures["d_accuracy/sr"]
        if min(hr, sr) >= self.WINS:
            verdict = "plays" if self.critic else "wins"
        elif max(hr, sr) <= self.LOSES or (min(hr, sr) <= 1 - self.WINS and max(hr, sr) >= 1):
            verdict = "collapses"
        else:
            verdict = "plays"
        self._verdicts = [*self._verdicts, verdict][-self.patience :]
        if verdict == "plays" or self._verdicts != [verdict] * self.patience:
            return None
        self._verdicts = []
        if verdict == "wins":
            return (
                f"the discriminator wins: it tells HR from SR {min(hr, sr):.0%} of the time, so "
                "the generator learns little from it; lower its learning rate "
                "(schedule.stages.NAME.lr_discriminator) or its width, or lengthen the ramp"
            )
        return (
            f"the discriminator has collapsed: it gives one answer for everything ({hr:.0%} right "
            f"on HR, {sr:.0%} on SR); raise its learning rate or give it more updates "
            "(schedule.stages.NAME.d_steps)"
        )

"""A generator that is fitted to pictures in one go, not trained step by step."""

from abc import abstractmethod
from collections.abc import Callable, Iterable

from torch import Tensor

from srgan_lightning.networks.base import Generator


class FittedGenerator(Generator):
    """A generator whose `fit` fills its buffers, which are saved as weights are."""

    @abstractmethod
    def fit(
        self,
        pairs: Iterable[tuple[Tensor, Tensor]],
        *,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Learn from pairs, of which no more are taken than are needed.

        The same pairs in the same order give the same result.

        Args:
            pairs: LR `[B, 3, h, w]` and HR `[B, 3, scale·h, scale·w]`, RGB in [0, 1].
            on_progress: called now and then with the share of the work done, in [0, 1].

        Raises:
            UserError: for too few pairs, or where a library is absent that fitting needs.
        """

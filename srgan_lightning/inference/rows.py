"""A network run row by row: each layer keeps the rows that it still needs and computes none twice.

A tile with a halo computes the halo anew for each tile; a deep network's halo is larger than its
tiles (RRDB-23's is 349 pixels). Here a picture goes through the network in bands of rows instead.
A convolution of 2r + 1 rows keeps the last 2r rows of the band before and answers r rows late; a
sum keeps of the branch that is ahead what the other still lacks. So the work is that of the whole
picture at once, the result equal to it, and memory grows with the width only.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from srgan_lightning.inference.row_rules import Mode, NotByRowsError, Step

__all__ = ["NotByRowsError", "RowStream"]


class RowStream:
    """One picture on its way through a network, band after band.

    Args:
        network: of convolutions that keep height and width, functions of single pixels, sums,
            concatenations, pixel shuffles and enlargements by interpolation.

    Example:
        >>> import torch
        >>> network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.PixelShuffle(1))
        >>> lr, stream = torch.rand(1, 1, 7, 5), RowStream(network)
        >>> bands = [stream.push(lr[..., :4, :]), stream.push(lr[..., 4:, :]), *stream.end(rows=4)]
        >>> bool(torch.allclose(torch.cat(bands, 2), network(lr), atol=1e-6))
        True
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._steps: list[Step] = []
        self._ended = 0  # so many steps have had all that they get
        self._no_rows: Tensor | None = None

    def push(self, lr: Tensor) -> Tensor:
        """Feed the next rows.

        Args:
            lr: `[B, 3, rows, W]`.

        Returns:
            The SR rows that are thereby known, `[B, 3, rows', scale·W]`; there may be none.

        Raises:
            NotByRowsError: for a network of other layers.
            Exception: whatever the network raises, out of memory say; the rows can be fed again.
        """
        sr = self._run(lr, ended=0)
        self._no_rows = lr[:, :, :0]
        return sr

    def end(self, *, rows: int) -> Iterator[Tensor]:
        """Say that no more comes; what is still in the network comes out by and by.

        Args:
            rows: how many rows of LR are to come out at a time, about; memory grows with them.

        Yields:
            SR rows as of `push`.

        Raises:
            Exception: as of `push`; when called again it goes on.
        """
        assert self._no_rows is not None
        while self._ended < len(self._steps):
            ended, late = self._ended, 0
            while ended < len(self._steps) and late < rows:
                late += self._steps[ended].radius
                ended += 1
            sr = self._run(self._no_rows, ended=ended)
            self._ended = ended
            yield sr

    def _run(self, lr: Tensor, *, ended: int) -> Tensor:
        steps = [replace(step) for step in self._steps]  # if this fails, it can be done again
        with Mode(steps, ended=ended) as mode:
            sr = self._network(mode.marked(lr[:]))
        if getattr(sr, "rows_of", None) is not mode:
            raise NotByRowsError("its output has lost its rows")
        self._steps = steps
        return cast(Tensor, sr)

"""A question asked of a model: how near does it come on these pairs, by this protocol?"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.figures import Ruler
from srgan_lightning.evaluation.models import Model
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Row, Table


@dataclass(frozen=True)
class Contender:
    """A model in a table.

    Attributes:
        method: what the table calls it; the runs of one recipe share it.
        model: makes SR.
        run: tells it from the other runs of its method; empty where it is the only one.
        costs: figures that no picture changes, such as its number of parameters.
    """

    method: str
    model: Model
    run: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)


def evaluate(model: Model, pairs: Iterable[BenchmarkPair], protocol: Protocol) -> Table:
    """Measure a model.

    Args:
        model: makes SR of each pair's LR.
        pairs: the benchmark set.
        protocol: the terms.

    Returns:
        A row for each pair, see `measure`.

    Raises:
        UserError: for a picture too small for the protocol, SR that is not as large as HR, and
            whatever the pairs and the model find wrong with their files.

    Example:
        >>> import torch
        >>> from srgan_lightning.evaluation.models import GeneratorModel
        >>> from srgan_lightning.inference.torch_upscaler import TorchUpscaler
        >>> upscaler = TorchUpscaler.load("bicubic", precision="32-true")
        >>> bicubic = GeneratorModel(name="bicubic", upscaler=upscaler)
        >>> pair = BenchmarkPair("black", torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 32, 32))
        >>> table = evaluate(bicubic, [pair], Protocol(degradation="none"))
        >>> table.mean("bicubic")["ssim"]
        1.0
    """
    contenders = [Contender(model.name, model)]
    return Table(protocol, list(measure(contenders, pairs, Ruler(protocol=protocol))))


def measure(
    contenders: Sequence[Contender],
    pairs: Iterable[BenchmarkPair],
    ruler: Ruler,
    *,
    keep: Callable[[Contender, BenchmarkPair, Tensor], None] | None = None,
) -> Iterator[Row]:
    """Measure several models on the same pairs, picture by picture.

    Args:
        contenders: the models.
        pairs: the benchmark set; each pair is made once.
        ruler: what is measured.
        keep: called with each SR picture, float [1, 3, H, W] on the CPU.

    Yields:
        A row for each pair and contender: the ruler's figures, the contender's costs, "seconds"
        (the model's alone) and "megapixels", SR's, in a second.

    Raises:
        UserError: as `evaluate` does.
    """
    for pair in pairs:
        for contender in contenders:
            start = time.perf_counter()
            sr = contender.model(pair).cpu()  # which also waits for a device that works on its own
            seconds = time.perf_counter() - start
            try:
                figures = ruler(sr, pair)
            except UserError as error:
                raise UserError(f"{contender.method} on {pair.name}: {error}") from None
            if keep is not None:
                keep(contender, pair, sr)
            speed = sr.shape[-2] * sr.shape[-1] / 1e6 / seconds
            figures |= {**contender.costs, "seconds": seconds, "megapixels": speed}
            yield Row(contender.method, pair.name, figures, run=contender.run)

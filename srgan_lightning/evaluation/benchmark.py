"""A question asked of a model: how near does it come on these pairs, by this protocol?"""

import time
from collections.abc import Iterable

from torch import Tensor

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.models import Model
from srgan_lightning.evaluation.pairs import BenchmarkPair
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Row, Table
from srgan_lightning.metrics.functional import psnr, sharpness, ssim


def evaluate(model: Model, pairs: Iterable[BenchmarkPair], protocol: Protocol) -> Table:
    """Measure a model.

    Args:
        model: makes SR of each pair's LR.
        pairs: the benchmark set.
        protocol: the terms.

    Returns:
        A row for each pair with "psnr" in dB, "ssim", "sharpness" (the share of HR's
        high-frequency energy that SR has; 1 is as sharp) and "seconds" (the model's alone).

    Raises:
        UserError: for a picture too small for the protocol, SR that is not as large as HR, and
            whatever the pairs and the model find wrong with their files.

    Example:
        >>> import torch
        >>> from srgan_lightning.evaluation.models import GeneratorModel
        >>> from srgan_lightning.inference import Upscaler
        >>> upscaler = Upscaler.load("bicubic", precision="32-true")
        >>> bicubic = GeneratorModel(name="bicubic", upscaler=upscaler)
        >>> pair = BenchmarkPair("black", torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 32, 32))
        >>> table = evaluate(bicubic, [pair], Protocol(degradation="none"))
        >>> table.mean("bicubic")["ssim"]
        1.0
    """
    return Table(protocol, [_measure(model, pair, protocol) for pair in pairs])


def _measure(model: Model, pair: BenchmarkPair, protocol: Protocol) -> Row:
    start = time.perf_counter()
    sr = model(pair).cpu()  # which also waits for a device that computes on its own
    seconds = time.perf_counter() - start
    try:
        figures = _figures(sr, pair, protocol)
    except UserError as error:
        raise UserError(f"{model.name} on {pair.name}: {error}") from None
    return Row(model.name, pair.name, {**figures, "seconds": seconds})


def _figures(sr: Tensor, pair: BenchmarkPair, protocol: Protocol) -> dict[str, float]:
    hr, crop, space = pair.hr.cpu(), protocol.crop, protocol.space
    scale = hr.shape[-1] // pair.lr.shape[-1]
    return {
        "psnr": psnr(sr, hr, crop=crop, space=space).item(),
        "ssim": ssim(sr, hr, crop=crop, space=space).item(),
        "sharpness": sharpness(sr, hr, crop=crop, scale=scale).item(),
    }

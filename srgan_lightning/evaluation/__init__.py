"""Models measured: pairs, protocols, figures, tables and comparison pictures."""

from srgan_lightning.evaluation.benchmark import evaluate
from srgan_lightning.evaluation.comparison import Box, comparison_picture, most_detailed
from srgan_lightning.evaluation.models import GeneratorModel, Model, ReadyPictures
from srgan_lightning.evaluation.pairs import BenchmarkPair, DegradedPairs, GivenPairs
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.table import Row, Table, render, save

__all__ = [
    "BenchmarkPair",
    "Box",
    "DegradedPairs",
    "GeneratorModel",
    "GivenPairs",
    "Model",
    "Protocol",
    "ReadyPictures",
    "Row",
    "Table",
    "comparison_picture",
    "evaluate",
    "most_detailed",
    "render",
    "save",
]

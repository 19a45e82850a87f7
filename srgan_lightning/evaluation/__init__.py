"""Models measured: pairs, protocols, figures, tables, comparisons and pictures of them."""

from srgan_lightning.evaluation.benchmark import Contender, evaluate, measure
from srgan_lightning.evaluation.bootstrap import Difference, compare
from srgan_lightning.evaluation.comparison import Box, comparison_picture, most_detailed
from srgan_lightning.evaluation.figures import Ruler
from srgan_lightning.evaluation.models import GeneratorModel, Model, ReadyPictures
from srgan_lightning.evaluation.onnx import OnnxModel
from srgan_lightning.evaluation.pairs import BenchmarkPair, DegradedPairs, GivenPairs
from srgan_lightning.evaluation.protocol import Protocol
from srgan_lightning.evaluation.render import render
from srgan_lightning.evaluation.save import save
from srgan_lightning.evaluation.table import Row, Table

__all__ = [
    "BenchmarkPair",
    "Box",
    "Contender",
    "DegradedPairs",
    "Difference",
    "GeneratorModel",
    "GivenPairs",
    "Model",
    "OnnxModel",
    "Protocol",
    "ReadyPictures",
    "Row",
    "Ruler",
    "Table",
    "compare",
    "comparison_picture",
    "evaluate",
    "measure",
    "most_detailed",
    "render",
    "save",
]

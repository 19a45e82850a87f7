"""A generator as an ONNX graph."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from srgan_lightning.classical.fitted import FittedGenerator
from srgan_lightning.errors import UserError
from srgan_lightning.networks.base import BurstGenerator, Generator

if TYPE_CHECKING:
    import onnx

OPSET = 18
INPUT, OUTPUT = "lr", "sr"
EXAMPLE = (2, 12, 14)  # batch, height and width of what the exporter sees


def require_onnx() -> None:
    """Make sure of the libraries that export, check and run ONNX files.

    Raises:
        UserError: naming the extra that brings them.
    """
    for library in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(library)
        except ImportError:
            raise UserError(
                f"export: needs {library}; pip install 'srgan-lightning[onnx]' brings it"
            ) from None


def check_exportable(generator: Generator) -> None:
    """Refuse what is no network of layers.

    Raises:
        UserError: for a method without weights, or one that is fitted or solves equations.
    """
    name = type(generator).__name__
    solves = isinstance(generator, BurstGenerator) and generator.deblurs
    if solves or isinstance(generator, FittedGenerator):
        raise UserError(f"export: {name} is no network of layers; ONNX cannot hold how it computes")
    if not any(True for _ in generator.parameters()):
        raise UserError(f"export: {name} has no weights; only networks are exported")


def to_onnx(network: nn.Module, example: torch.Tensor, *, name: str) -> onnx.ModelProto:
    """Export a network whose input and output are a batch of pictures of any size.

    Batch, height and width of the input are free and named so; the output's are called by what
    they are, `4*height` say. No stack trace, source line or path of this machine stays in it.

    Args:
        network: in eval mode; a `Generator`, or a `Whole` one.
        example: float `[B, 3, H, W]`, or uint8 `[B, H, W, 3]`.
        name: of the graph.

    Raises:
        UserError: for a network that the exporter cannot express.
    """
    height = 1 if example.dtype == torch.uint8 else 2
    sizes = {0: "batch", height: "height", height + 1: "width"}
    dynamic = {axis: torch.export.Dim(size) for axis, size in sizes.items()}
    try:
        with (
            silent_logs(),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                dynamic_shapes=(dynamic,),
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
    except Exception as error:  # noqa: BLE001 - each step of the exporter has errors of its own
        reason = str(error.__cause__ or error).strip().splitlines()[0][:200]
        raise UserError(f"export: {name} cannot be expressed in ONNX ({reason})") from None
    assert program is not None
    model = program.model_proto
    model.graph.name = name
    strip(model)
    return model


def example_of(*, whole: bool, half: bool) -> torch.Tensor:
    """Return a batch for the exporter to follow through a network."""
    batch, height, width = EXAMPLE
    if whole:
        return torch.full((batch, height, width, 3), 128, dtype=torch.uint8)
    return torch.full((batch, 3, height, width), 0.5, dtype=torch.half if half else torch.float)


def strip(model: onnx.ModelProto) -> None:
    """Take away what says where and how the graph was made."""
    model.doc_string = ""
    del model.metadata_props[:]
    graph = model.graph
    graph.doc_string = ""
    del graph.metadata_props[:]
    parts: list[Any] = [*graph.node, *graph.input, *graph.output, *graph.value_info]
    for part in [*parts, *graph.initializer]:
        part.doc_string = ""
        del part.metadata_props[:]


@contextlib.contextmanager
def silent_logs() -> Iterator[None]:
    """Keep the libraries' own words from the terminal: what fails, the error says in a line."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)

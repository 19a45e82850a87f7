"""Put a trained generator into the package, for maintainers.

    python benchmarks/package.py photo-psnr RUN/checkpoints/generator.safetensors

Writes NAME.safetensors in float16, NAME.onnx with the same weights (stored in float16, computed in
float32) and both checksums into models.json; purpose, figures and card are written by hand.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import typer
from onnx import numpy_helper

from srgan_lightning.export.write import export_onnx
from srgan_lightning.networks.weights import read_generator, save_generator
from srgan_lightning.pretrained import FOLDER


def main(
    name: Annotated[str, typer.Argument(help="of an entry of models.json")],
    source: Annotated[Path, typer.Argument(help="a generator file")],
    licence: Annotated[str, typer.Option("--license", help="of the weights")] = "Apache-2.0",
) -> None:
    """Write the files of a packaged model."""
    listing = FOLDER / "models.json"
    entries = json.loads(listing.read_text())
    stored = read_generator(source)
    weights, graph = FOLDER / f"{name}.safetensors", FOLDER / f"{name}.onnx"
    save_generator(
        weights,
        {key: value.half() for key, value in stored.tensors.items()},
        name=stored.name,
        arguments=stored.arguments,
        scale=stored.scale,
        facts={**stored.facts, "license": licence},
    )
    with tempfile.TemporaryDirectory() as folder:
        exported = export_onnx(weights, Path(folder, graph.name), license=licence).model
        model = onnx.load(exported)
    _store_half(model)
    graph.write_bytes(model.SerializeToString(deterministic=True))
    entries[name]["sha256"] = {
        path.suffix: hashlib.sha256(path.read_bytes()).hexdigest() for path in (weights, graph)
    }
    listing.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    for path in (weights, graph):
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def _store_half(model: Any) -> None:
    """Store constants in float16, each cast back where it is used."""
    casts = []
    for constant in list(model.graph.initializer):
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size > 1:
            stored = f"{constant.name}_half"
            half = values.astype(np.float16)
            assert np.array_equal(half.astype(np.float32), values), "is no float16 network"
            casts.append(
                onnx.helper.make_node("Cast", [stored], [constant.name], to=onnx.TensorProto.FLOAT)
            )
            constant.CopyFrom(numpy_helper.from_array(half, stored))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)


if __name__ == "__main__":
    typer.run(main)

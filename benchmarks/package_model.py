"""Puts a trained generator into the box: srgan_lightning/pretrained.

Writes the weights in float16, an ONNX graph that reads them and computes in float32, the entry in
models.json with its checksum, and the model card. With --flat the last layer is corrected so that
flat areas come out flat (`flattened`), which an adversarial stage wants. What only a person knows
(purpose, licence, the card's data, budget, commands and limits) is edited in models.json; the same
command without a generator then writes the cards again. Figures come from `srgan evaluate`:

    python benchmarks/package_model.py RUN/checkpoints/generator.safetensors --name photo-psnr
    srgan evaluate model=[bicubic,photo-psnr] data.set=set5 degradation=bicubic hydra.run.dir=F
    python benchmarks/package_model.py --name photo-psnr --figures F --pictures Set5

With --strip the same evaluation's pictures are drawn beside the card, with --run (once for each
round of training) the learning curve.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import torch
import typer
from card_pictures import curve, strip
from onnx import helper, numpy_helper
from PIL import Image

from srgan_lightning.export.graph import example_of, to_onnx
from srgan_lightning.export.write import describe
from srgan_lightning.networks.base import BurstGenerator
from srgan_lightning.networks.generators.compact import Compact
from srgan_lightning.networks.weights import (
    StoredGenerator,
    build_stored,
    file_hash,
    read_generator,
    save_generator,
)
from srgan_lightning.pretrained.box import FOLDER, REGISTRY, read_registry
from srgan_lightning.pretrained.card import card

RIDGE = 1e-3  # of the mean square; with less, flat areas are flatter still and PSNR falls
STRIP = "Details that it never saw; the last row is the one in which it gains least."
CURVE = "How it learned."
KEPT = ("psnr", "ssim", "lpips", "dists", "sharpness", "brightness", "colour")


def main(
    source: Annotated[Path | None, typer.Argument(help="a run's generator.safetensors")] = None,
    name: Annotated[str | None, typer.Option(help="what the box calls it")] = None,
    figures: Annotated[Path | None, typer.Option(help="a folder of `srgan evaluate`")] = None,
    pictures: Annotated[str, typer.Option(help="what the pictures of --figures are called")] = "",
    drawn: Annotated[
        Path | None, typer.Option("--strip", help="a folder of `srgan evaluate` to draw from")
    ] = None,
    runs: Annotated[
        list[Path] | None, typer.Option("--run", help="a folder of `srgan train`")
    ] = None,
    flat: Annotated[bool, typer.Option("--flat", help="make flat areas come out flat")] = False,
) -> None:
    """Package a generator, take figures in, write the cards."""
    entries = {entry["name"]: entry for entry in json.loads(REGISTRY.read_text(encoding="utf-8"))}
    if source is not None:
        blank = {"purpose": "", "license": "Apache-2.0", "figures": [], "card": {}}
        entry = {"name": name, **blank, **entries.get(name, {})}
        packed = package(source, name, license=entry["license"], flat=flat)
        same = packed["sha256"] == entry.get("sha256")  # figures of other weights do not stay
        entries[name] = {**entry, **packed, "figures": entry["figures"] if same else []}
    if figures is not None:
        measured = {"pictures": pictures, **means(figures, name)}
        others = [e for e in entries[name]["figures"] if e["pictures"] != pictures]
        entries[name]["figures"] = [*others, measured]
    if drawn is not None:
        picture = FOLDER / f"{name}.jpg"
        Image.fromarray(strip(drawn, name)).save(picture, quality=85, optimize=True)
        entries[name]["card"].setdefault("pictures", {}).setdefault(picture.name, STRIP)
    if runs:
        picture = FOLDER / f"{name}.svg"
        picture.write_text(curve(runs), encoding="utf-8")
        entries[name]["card"].setdefault("pictures", {}).setdefault(picture.name, CURVE)
    text = json.dumps([*entries.values()], indent=2, ensure_ascii=False) + "\n"
    REGISTRY.write_text(text, encoding="utf-8")
    for model in read_registry().values():
        model.page.write_text(card(model), encoding="utf-8")


def package(source: Path, name: str, *, license: str, flat: bool) -> dict[str, Any]:
    """Write weights and graph; return what the registry says of them."""
    stored = read_generator(source)
    generator = build_stored(stored, source)
    trained = (flattened(generator) if flat else generator).state_dict()
    tensors = {key: tensor.half() for key, tensor in trained.items()}
    facts = {**stored.facts, "license": license}
    stored = StoredGenerator(**{**vars(stored), "tensors": tensors, "facts": facts})
    weights = FOLDER / f"{name}.safetensors"
    options = {"name": stored.name, "arguments": stored.arguments, "scale": stored.scale}
    save_generator(weights, tensors, **options, facts=facts)
    generator = build_stored(stored, weights)
    description = describe(stored, generator, license)
    told = {
        "sha256": file_hash(weights),
        "generator": {"name": stored.name, **stored.arguments},
        "parameters": description.parameters,
        "scale": stored.scale,
        "degradation": stored.facts.get("degradation", ""),
    }
    if isinstance(generator, BurstGenerator):
        return told
    model = to_onnx(generator, example_of(whole=False, half=False), name=name)
    refer(model, weights)
    for key, value in description.properties().items():
        if key != "parity":
            model.metadata_props.add(key=key, value=value)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    return told


@torch.no_grad()
def flattened(generator: Compact) -> Compact:
    """Change the last layer as little as will make flat pictures come out flat, and as bright.

    An adversarial stage leaves a pattern of the up-sampler's 4x4 pixels. On flat pictures the last
    layer sees constant features, so the pattern is linear in its kernels' sums: they are corrected
    by least squares over greys and colours, each sum's share spread evenly over its kernel.
    """
    last = generator.body[-1]
    greys = torch.linspace(0, 1, 33)[:, None].expand(-1, 3)
    colours = torch.cat([greys, torch.rand(64, 3, generator=torch.Generator().manual_seed(0))])
    side = 2 * generator.halo + 1
    features, wrong = [], []
    keep = last.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    for colour in colours:
        lr = colour[None, :, None, None].expand(1, 3, side, side)
        middle = generator.scale * generator.halo
        cell = generator(lr)[0, :, middle : middle + 4, middle : middle + 4]
        wrong.append((cell - colour[:, None, None]).flatten())
    keep.remove()
    seen = torch.stack([each[0, :, generator.halo, generator.halo] for each in features])
    known = torch.cat([seen, torch.ones(len(seen), 1)], 1).double()
    ridge = RIDGE * known.square().sum() / len(known) * torch.eye(known.shape[1], dtype=known.dtype)
    change = torch.linalg.solve(known.T @ known + ridge, known.T @ torch.stack(wrong).double())
    last.weight -= (change[:-1].T / 9)[..., None, None].float()
    last.bias -= change[-1].float()
    return generator


def refer(model: onnx.ModelProto, weights: Path) -> None:
    """Let a graph read its float32 constants from a safetensors file, where they lie in float16.

    ONNX's external data is a file's name, an offset and a length, which a safetensors file has too.
    ONNX Runtime casts them once, when it starts.
    """
    file = weights.read_bytes()
    start = 8 + int.from_bytes(file[:8], "little")
    places = {}
    for tensor in json.loads(file[8:start]).values():
        if "data_offsets" in tensor:
            first, end = (start + offset for offset in tensor["data_offsets"])
            values = np.frombuffer(file[first:end], np.float16).astype(np.float32)
            places[values.tobytes()] = first, end - first
    casts = []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.tobytes() not in places:
            continue
        (offset, length), kept = places[values.tobytes()], constant.name
        constant.Clear()
        constant.name, constant.data_type = f"{kept}.half", onnx.TensorProto.FLOAT16
        constant.dims.extend(values.shape)
        constant.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", offset), ("length", length)):
            constant.external_data.add(key=key, value=str(value))
        cast = helper.make_node("Cast", [constant.name], [kept], to=onnx.TensorProto.FLOAT)
        casts.append(cast)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    assert model.ByteSize() < 100_000, "constants were left in the graph"


def means(folder: Path, name: str) -> dict[str, Any]:
    """Return the protocol and the means of all methods of an evaluation."""
    found = json.loads((folder / "figures.json").read_text())
    # What fuses is measured for a number of frames, which the stamp tells.
    methods = {re.sub(r" of \d+$", "", method): node for method, node in found["methods"].items()}
    assert name in methods, f"{folder}: measures {', '.join(methods)}"
    return {
        "stamp": found["protocol"]["stamp"],
        "means": {
            method: {key: round(node["mean"][key], 4) for key in KEPT if key in node["mean"]}
            for method, node in methods.items()
        },
    }


if __name__ == "__main__":
    typer.run(main)

"""The model card: what a person should know of a file before using it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from srgan_lightning.export.metadata import Description
from srgan_lightning.export.parity import Precision, limits_of

RUN = """\
import numpy as np, onnxruntime
from PIL import Image
session = onnxruntime.InferenceSession("{file}")
picture = np.asarray(Image.open("photo.jpg").convert("RGB"))
(sr,) = session.run(None, {{"lr": {lr}}})
Image.fromarray({sr}).save("big.png")
"""
PRECISIONS: dict[Precision, str] = {
    "float32": "float32",
    "float16": "float16",
    "int8": "int8 in inner convolutions, weights per channel; float32 in all else",
}
FLOAT_SR = "(sr[0].transpose(1, 2, 0).clip(0, 1) * np.float32(255)).round().astype(np.uint8)"


def model_card(file: str, description: Description) -> str:
    """Write the card of a model.

    Args:
        file: the model file's name; a `.onnx` gets instructions for ONNX Runtime, a
            `.safetensors` for this program.
        description: what to tell.

    Returns:
        Markdown.
    """
    sections = [_head(file, description), _facts(description.facts)]
    if description.parity:
        sections.append(_parity(description))
    sections += [_usage(file, description), _limits(description)]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(file: str, description: Description) -> str:
    arguments = ", ".join(f"{key}={value}" for key, value in description.arguments.items())
    halo = "the whole picture" if description.halo is None else f"{description.halo} LR pixels"
    rows = {
        "network": f"`{description.name}` ({arguments or 'defaults'})",
        "scale": f"×{description.scale}",
        "parameters": f"{description.parameters:,}",
        "precision": PRECISIONS[description.precision],
        "calibrated on": _calibration(description.calibration),
        "halo (radius of the receptive field)": halo,
        "licence of the weights": description.license,
    }
    told = ((name, value) for name, value in rows.items() if value)
    return f"# {file}\n\n{_table(('', ''), told)}"


def _calibration(facts: Mapping[str, Any] | None) -> str:
    if facts is None:
        return ""
    names = ": " + ", ".join(facts["names"]) if "names" in facts else ""
    whose = "packaged" if names else "given"
    return f"{facts['photographs']} {whose} photographs{names} (SHA-256 {facts['sha256'][:16]})"


def _facts(facts: Mapping[str, Any]) -> str:
    if not facts:
        return "## Training\n\nThe file of the weights says nothing of it."
    rows = [(key.replace("_", " "), _plain(value)) for key, value in facts.items()]
    return f"## Training\n\n{_table(('fact', 'value'), rows)}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|") or "–"


def _parity(description: Description) -> str:
    asked = limits_of(description.precision, whole=description.whole).words
    rows = [row.cells for row in description.parity]
    table = _table(("batch x height x width", "largest difference", "PSNR"), rows)
    return (
        "## Parity\n\nONNX Runtime against PyTorch in float32, on cut-outs of a photograph, values "
        f"in [0, 1]; asked for: {asked}.\n\n{table}"
    )


def _usage(file: str, description: Description) -> str:
    if file.endswith(".safetensors"):
        return f"## Use\n\n```bash\nsrgan upscale photo.jpg -o big.png --model {file}\n```"
    if description.whole:
        lr, sr = "picture[None]", "sr[0]"
    else:
        dtype = "np.float16" if description.precision == "float16" else "np.float32"
        lr = f"(picture.transpose(2, 0, 1)[None] / 255).astype({dtype})"
        sr = FLOAT_SR
    return f"## Use\n\n```python\n{RUN.format(file=file, lr=lr, sr=sr)}```"


def _limits(description: Description) -> str:
    lines = [
        f"Pictures are RGB as sRGB files hold them, and are enlarged ×{description.scale} only.",
        "A network invents what the degradation of its training took away; pictures that were "
        "reduced or damaged in another way come out worse.",
    ]
    if description.halo is None:
        lines.append("An SR pixel depends on the whole picture: tiles show seams.")
    else:
        lines.append(
            f"Tiles with a margin of {description.halo} pixels come out as the whole picture does."
        )
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _table(head: tuple[str, ...], rows: Any) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(head)} |"
        yield "|" + "---|" * len(head)
        for row in rows:
            yield f"| {' | '.join(row)} |"

    return "\n".join(lines())

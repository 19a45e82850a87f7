"""`srgan info`: what is installed, what this machine can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

PACKAGES = (
    "srgan-lightning",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "hydra-core",
    "kornia",
    "torchmetrics",
    "wandb",
)


def info(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="What `srgan upscale --model` takes but ONNX."),
    ] = None,
) -> None:
    """Say versions, devices, the fast precision, weights at hand and installed extras.

    Of a model it says what its file does: network, scale, parameters, hash, degradation, training.
    """
    import rich
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    all_rows = (_versions(), _devices(), _weights(), _extras())
    for rows in all_rows if model is None else (_model(model),):
        for name, value in rows:
            table.add_row(name, value)
        table.add_row()
    rich.print(table)


def _versions() -> Iterator[tuple[str, str]]:
    import platform
    from importlib.metadata import version

    yield "Python", platform.python_version()
    for package in PACKAGES:
        yield package, version(package)


def _devices() -> Iterator[tuple[str, str]]:
    import torch

    from srgan_lightning.precision import resolve_device, resolve_precision

    devices = [torch.device("cpu")]
    devices += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    for device in devices:
        yield str(device), _describe(device)
        resolved = resolve_precision("auto", device)
        layout = "channels last" if resolved.channels_last else "contiguous"
        yield "  precision=auto", f"{resolved.precision}, {layout}: {resolved.reason}"
    yield "device=auto", str(resolve_device("auto"))


def _describe(device: torch.device) -> str:
    import torch.backends.cpu

    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if device.type == "cpu":
        return f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    return "Apple GPU"


def _weights() -> Iterator[tuple[str, str]]:
    from srgan_lightning.networks.features import vgg_cache_path

    for network in ("vgg19", "vgg16"):
        path = vgg_cache_path(network)
        there = "cached" if path.is_file() else "not cached, would be downloaded to"
        yield f"{network} weights", f"{there} {path}"

    from srgan_lightning.pretrained import BOX
    from srgan_lightning.pretrained.fetch import cache_folder

    yield "models in the box", ", ".join(BOX)
    yield "fetched models", f"kept in {cache_folder()}"


def _model(name: str) -> Iterator[tuple[str, str]]:
    from srgan_lightning.inference.provenance import named
    from srgan_lightning.networks.weights import build_stored, read_generator
    from srgan_lightning.pretrained import locate

    path = locate(name)
    stored = read_generator(path)
    generator = build_stored(stored, path)
    yield "model", named(path)
    yield "network", f"{stored.name} {stored.arguments}"
    yield "scale", str(stored.scale)
    yield "parameters", f"{sum(weight.numel() for weight in generator.parameters()):,}"
    for fact, value in stored.facts.items():
        yield fact.replace("_", " "), str(value)


def _extras() -> Iterator[tuple[str, str]]:
    import re
    from importlib.metadata import metadata, requires

    extras = metadata("srgan-lightning").get_all("Provides-Extra") or []
    requirements = requires("srgan-lightning") or []
    for extra in extras:
        needed = [
            match.group()
            for requirement in requirements
            if re.search(rf"extra == [\"']{extra}[\"']", requirement)
            and (match := re.match(r"[\w.-]+", requirement))
        ]
        missing = [name for name in needed if not _installed(name)]
        yield f"extra {extra}", f"lacks {', '.join(missing)}" if missing else "installed"


def _installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True

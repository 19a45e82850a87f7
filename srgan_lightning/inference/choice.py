"""Which packaged model suits a file, and which backend is the faster one for it."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import image_size
from srgan_lightning.inference.files import Task
from srgan_lightning.pretrained import is_pretrained

JPEG = {".jpg", ".jpeg"}
SMALL = 2**18  # LR pixels in all; with fewer, torch starts longer than ONNX Runtime computes


def by_model(tasks: Sequence[Task], model: str) -> dict[str, list[Task]]:
    """Group files by the model that enlarges them.

    Args:
        tasks: the files.
        model: for all of them, or "auto": FITS by cosmic, which invents nothing, JPEG by
            photo-real, which leaves its blocks alone, all else by photo-gan.

    Example:
        >>> tasks = [Task(Path(name), Path("x.png")) for name in ("a.jpg", "b.png", "c.JPEG")]
        >>> {model: len(group) for model, group in by_model(tasks, "auto").items()}
        {'photo-real': 2, 'photo-gan': 1}
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        chosen = _model_for(task) if model == "auto" else model
        groups.setdefault(chosen, []).append(task)
    return groups


def _model_for(task: Task) -> str:
    if task.kind == "fits":
        return "cosmic"
    return "photo-real" if task.source.suffix.lower() in JPEG else "photo-gan"


def backend_for(model: str, tasks: Sequence[Task]) -> Literal["auto", "onnx"]:
    """Choose "onnx" for a packaged model and few pixels, where ONNX Runtime is installed.

    Args:
        model: a name or a file.
        tasks: what it is to enlarge.

    Returns:
        "onnx", or "auto".
    """
    fits = (
        is_pretrained(model)
        and importlib.util.find_spec("onnxruntime") is not None
        and all(task.kind == "picture" for task in tasks)
        and sum(_pixels(task.source) for task in tasks) <= SMALL
    )
    return "onnx" if fits else "auto"


def _pixels(path: Path) -> int:
    try:
        height, width = image_size(path)
    except UserError:
        return 0  # it will be told when it is read
    return height * width

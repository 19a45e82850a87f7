"""Which weights of the box serve which file, where nobody says."""

import contextlib
from collections.abc import Sequence

from srgan_lightning.inference.files import Task

CHOICES = {"FITS": "cosmic", "JPEG": "photo-real", "other": "photo-gan"}
JPEG = b"\xff\xd8\xff"


def kind_of_source(task: Task) -> str:
    """Tell what decides about a file: its content, not its name."""
    if task.kind == "fits":
        return "FITS"
    if task.kind == "picture":
        with contextlib.suppress(OSError), task.source.open("rb") as file:  # told when it is read
            if file.read(len(JPEG)) == JPEG:
                return "JPEG"
    return "other"


def choose(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Sort files by what decides about them: "FITS", "JPEG" or "other"."""
    kinds: dict[str, list[Task]] = {}
    for task in tasks:
        kinds.setdefault(kind_of_source(task), []).append(task)
    return kinds


def words_of(kinds: dict[str, list[Task]]) -> str:
    """Say in a line what was chosen.

    >>> from pathlib import Path
    >>> words_of({"FITS": [Task(Path("m51.fits"), Path("big.fits"), "fits")]})
    'auto: cosmic for 1 FITS'
    """
    words = []
    for kind, tasks in kinds.items():
        others = kind == "other" and len(tasks) > 1
        words.append(f"{CHOICES[kind]} for {len(tasks)} {kind}{'s' if others else ''}")
    return "auto: " + ", ".join(words)

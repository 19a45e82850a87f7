"""Files enlarged under a progress bar, with a last line that says what was done."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.animation import animation_pixels
from srgan_lightning.imaging.fits import fits_pixels
from srgan_lightning.imaging.read import image_size, list_images
from srgan_lightning.imaging.video import video_pixels
from srgan_lightning.inference.files import Task
from srgan_lightning.inference.pipeline import Pipeline

_PAUSE = 30.0  # seconds between two lines


def areas_of(tasks: Sequence[Task]) -> tuple[dict[Task, int], list[UserError]]:
    """Return the LR pixels of what can be read, and what is wrong with the rest."""
    failures: list[UserError] = []
    areas: dict[Task, int] = {}
    for task in tasks:
        try:
            areas[task] = _pixels(task)
        except UserError as error:
            failures.append(error)
    return areas, failures


def enlarge(tasks: Sequence[Task], pipeline: Pipeline, output: Path | None) -> list[UserError]:
    """Enlarge what can be read, with a bar; say at the end what was done and what was not."""
    sizes, failures = areas_of(tasks)
    areas = {task: pixels * pipeline.upscaler.scale**2 for task, pixels in sizes.items()}
    start = time.perf_counter()
    pixels = 0
    with progress_bar() as progress:
        bar = progress.add_task("", total=sum(areas.values()), rate="")

        def advance(made: int) -> None:
            progress.advance(bar, made)
            speed = progress.tasks[0].speed
            progress.update(bar, rate=f"{speed / 1e6:.2f} MP/s" if speed else "")

        running = replace(
            pipeline,
            on_start=lambda task: progress.update(bar, description=task.source.name),
            on_tile=advance,
        )
        for task, failure in running.run([*areas]):
            if failure is None:
                pixels += areas[task]
            else:
                failures.append(failure)
    seconds = time.perf_counter() - start
    megapixels = pixels / 1e6
    things = "files" if any("video" in task.kind for task in tasks) else "pictures"
    typer.echo(
        f"{len(tasks) - len(failures)} of {len(tasks)} {things} enlarged to "
        f"{_place(tasks, output)}: "
        f"{megapixels:.1f} MP in {seconds:.1f} s ({megapixels / seconds:.2f} MP/s, "
        f"{pipeline.upscaler.precision_for(8)} on {pipeline.upscaler.device})",
        err=str(output) == "-",
    )
    for failure in failures:
        typer.echo(f"srgan: not enlarged: {failure}", err=True)
    return failures


def _place(tasks: Sequence[Task], output: Path | None) -> str:
    """Say where to: of files beside their sources the only one, or the folders' number."""
    if output is not None:
        return str(output)
    return str(tasks[0].target) if len(tasks) == 1 else "beside them"


def _pixels(task: Task) -> int:
    match task.kind:
        case "fits":
            return fits_pixels(task.source)
        case "animation":
            return animation_pixels(task.source)
        case "video" | "frames of a video":
            return video_pixels(task.source)
        case "video of frames":
            sizes = [image_size(path) for path in list_images(task.source)]
            return sum(height * width for height, width in sizes)
        case "picture":
            height, width = image_size(task.source)
            return height * width


class _Told(Progress):
    """A bar; where no terminal shows it, a line tells what is done, twice a minute."""

    _told = float("-inf")

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        task = self._tasks[task_id]
        now = self.get_time()
        self._told = max(self._told, task.start_time or now)
        if self.console.is_terminal or now - self._told < _PAUSE:
            return
        self._told = now
        left = "" if task.time_remaining is None else f", {_clock(task.time_remaining)} left"
        typer.echo(f"{task.description}: {task.percentage:.0f} %{left}", err=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def progress_bar() -> Progress:
    """Return a bar on standard error, or lines where that is no terminal.

    Its tasks have a field `rate`.
    """
    return _Told(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

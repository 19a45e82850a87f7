"""Many files enlarged: the next is read and the last is written while one is computed."""

import contextlib
import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.document import Document
from srgan_lightning.imaging.encode import write_strips
from srgan_lightning.imaging.video import video_depth
from srgan_lightning.inference.animation import enlarge_animation
from srgan_lightning.inference.documents import enlarged_strips
from srgan_lightning.inference.files import Task
from srgan_lightning.inference.fits import Flux, enlarge_fits
from srgan_lightning.inference.provenance import provenance
from srgan_lightning.inference.size import Wanted
from srgan_lightning.inference.upscaler import OnTile, Upscaler
from srgan_lightning.inference.video import (
    Report,
    enlarge_frames,
    enlarge_to_frames,
    enlarge_video,
)

UNWRITTEN = 2  # strips that may wait for the writer, and files
_END = object()


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What enlarges files, one after the other.

    Attributes:
        upscaler: enlarges.
        wanted: the size of what is written.
        flux: see `enlarge_fits`.
        rate: pictures a second of a video that is made of a folder of them; None takes the times
            that lie beside them.
        on_start: called with each task before it is computed.
        on_tile: called with the number of SR pixels that were added.
    """

    upscaler: Upscaler
    wanted: Wanted = field(default_factory=Wanted)
    flux: Flux = "keep"
    rate: Fraction | None = None
    on_start: Callable[[Task], None] = field(default=lambda task: None)
    on_tile: OnTile = field(default=lambda pixels: None)

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, UserError | None]]:
        """Enlarge files; yield each when it is written, or with what went wrong.

        A file that fails leaves nothing behind and does not keep the others from being done.
        """
        waiting: deque[tuple[Task, Future[None]]] = deque()
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(UNWRITTEN) as writer:
            reading = deque(self._read(reader, task) for task in tasks[:1])
            for index, task in enumerate(tasks):
                reading.extend(self._read(reader, after) for after in tasks[index + 1 : index + 2])
                self.on_start(task)
                read = reading.popleft()
                try:
                    if read is None:
                        with _told(task):
                            self._enlarge_whole(task)
                        yield task, None
                    else:
                        waiting.append((task, self._enlarge(task, read.result(), writer)))
                except UserError as error:
                    yield task, error
                while len(waiting) > UNWRITTEN - 1:
                    yield _written(*waiting.popleft())
            while waiting:
                yield _written(*waiting.popleft())

    def _read(self, reader: ThreadPoolExecutor, task: Task) -> Future[Document] | None:
        return reader.submit(read_document, task.source) if task.kind == "picture" else None

    def _enlarge(self, task: Task, document: Document, writer: ThreadPoolExecutor) -> Future[None]:
        told = provenance(self.upscaler, depth=document.depth)
        layout, strips = enlarged_strips(
            document, self.upscaler, wanted=self.wanted, on_tile=self.on_tile
        )
        channel = _Channel()
        writing = writer.submit(write_strips, task.target, layout, channel, provenance=told)
        try:
            for strip in strips:
                if not channel.put(strip, until=writing):
                    break  # it failed, and says why when it is asked
        except BaseException:
            channel.broken = True
            raise
        channel.put(_END, until=writing)
        return writing

    def _enlarge_whole(self, task: Task) -> None:
        """Enlarge what is read, computed and written in one go."""
        source, target, upscaler, wanted = task.source, task.target, self.upscaler, self.wanted
        match task.kind:
            case "fits":
                told = provenance(upscaler, depth=32)
                enlarge_fits(
                    source,
                    target,
                    upscaler,
                    provenance=told,
                    flux=self.flux,
                    wanted=wanted,
                    on_tile=self.on_tile,
                )
                return
            case "animation":
                told = provenance(upscaler, depth=8)
                enlarge_animation(
                    source, target, upscaler, wanted=wanted, provenance=told, on_tile=self.on_tile
                )
                return
            case "video of frames":
                told = provenance(upscaler, depth=8)
                report = enlarge_frames(
                    source,
                    target,
                    upscaler,
                    rate=self.rate,
                    wanted=wanted,
                    provenance=told,
                    on_tile=self.on_tile,
                )
            case _:
                told = provenance(upscaler, depth=video_depth(source))
                enlarge = enlarge_video if task.kind == "video" else enlarge_to_frames
                report = enlarge(
                    source, target, upscaler, wanted=wanted, provenance=told, on_tile=self.on_tile
                )
        _complain(task, report)


class _Channel:
    """Strips on their way from the thread that computes to the one that writes.

    Attributes:
        broken: set when no more come though the picture is not complete.
    """

    def __init__(self) -> None:
        self.broken = False
        self._strips: queue.Queue[Any] = queue.Queue(UNWRITTEN)

    def put(self, strip: object, *, until: Future[None]) -> bool:
        """Hand a strip over; answer False if the writer has given up."""
        while not until.done():
            with contextlib.suppress(queue.Full):
                self._strips.put(strip, timeout=0.1)
                return True
        return False

    def __iter__(self) -> Iterator[NDArray[Any]]:
        while True:
            try:
                strip = self._strips.get(timeout=0.1)
            except queue.Empty:
                if self.broken:
                    raise _BrokenOffError from None
                continue
            if strip is _END:
                return
            yield strip


class _BrokenOffError(Exception):
    """The strips end before the picture does."""


def _complain(task: Task, report: Report) -> None:
    """Fail for what could not be read, though the rest is written."""
    if report.unreadable:
        raise UserError(
            f"{task.source}: written are the {report.frames} pictures that could be read; "
            f"{'; '.join(report.unreadable)}"
        )


def _written(task: Task, writing: Future[None]) -> tuple[Task, UserError | None]:
    try:
        with _told(task):
            writing.result()
    except UserError as error:
        return task, error
    return task, None


@contextlib.contextmanager
def _told(task: Task) -> Iterator[None]:
    """Say of what the system refuses which file it was."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UserError(f"{task.target}: cannot be written ({reason or error})") from None

"""Many files enlarged: others are read and written while some are computed."""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.decode import read_document
from srgan_lightning.imaging.document import Document, Layout, Strips
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
    """What enlarges files.

    Attributes:
        upscaler: enlarges.
        wanted: the size of what is written.
        flux: see `enlarge_fits`.
        rate: pictures a second of a video that is made of a folder of them; None takes the times
            that lie beside them.
        on_start: called with each task before it is computed, by the thread that does.
        on_tile: called with the number of SR pixels that were added, by the same thread.
    """

    upscaler: Upscaler
    wanted: Wanted = field(default_factory=Wanted)
    flux: Flux = "keep"
    rate: Fraction | None = None
    on_start: Callable[[Task], None] = field(default=lambda task: None)
    on_tile: OnTile = field(default=lambda pixels: None)

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, UserError | None]]:
        """Enlarge files; yield each when it is written, or with what went wrong.

        Pictures are computed several at once where the upscaler has lanes for them, but for those
        that would leave lanes empty at the end. A file that fails leaves nothing behind and does
        not keep the others from being done.
        """
        pictures = [task for task in tasks if task.kind == "picture"]
        lanes = max(min(self.upscaler.lanes, len(pictures)), 1)
        shared = dict.fromkeys(pictures[len(pictures) % lanes :]) if lanes > 1 else {}
        yield from self._in_turn(deque(task for task in tasks if task not in shared))
        if shared:
            yield from self._at_once(deque(shared), lanes)

    def _at_once(self, todo: deque[Task], lanes: int) -> Iterator[tuple[Task, UserError | None]]:
        """Enlarge pictures in several threads, each of which takes the next that is left."""
        done: queue.SimpleQueue[tuple[Task, UserError | None] | None] = queue.SimpleQueue()
        ended = threading.Event()

        def told(pixels: int) -> None:
            if ended.is_set():
                raise _BrokenOffError
            self.on_tile(pixels)

        def lane() -> None:
            try:
                replace(self, on_tile=told)._in_lane(todo, done.put)
            finally:
                done.put(None)

        with self.upscaler.sharing(lanes) as threads:
            running = [threads.submit(lane) for _ in range(lanes)]
            try:
                for _ in running:
                    yield from iter(done.get, None)
            finally:
                todo.clear()
                ended.set()
            for each in running:
                each.result()

    def _in_lane(
        self, todo: deque[Task], tell: Callable[[tuple[Task, UserError | None]], None]
    ) -> None:
        """Enlarge pictures one by one, and tell of each; the next is read meanwhile.

        It writes them itself: meanwhile the other lanes have the processor.
        """
        with ThreadPoolExecutor(1) as reader:
            begun = self._begin(todo, reader)
            while begun:
                (task, read), begun = begun, self._begin(todo, reader)
                self.on_start(task)
                assert read is not None
                try:
                    layout, strips, told = self._strips(read.result())
                    with _told(task):
                        write_strips(task.target, layout, _computed(strips), provenance=told)
                except UserError as error:
                    tell((task, error))
                else:
                    tell((task, None))

    def _in_turn(self, todo: deque[Task]) -> Iterator[tuple[Task, UserError | None]]:
        """Enlarge files one by one; the next is read and the last written meanwhile."""
        waiting: deque[tuple[Task, Future[None]]] = deque()
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(UNWRITTEN) as writer:
            begun = self._begin(todo, reader)
            while begun:
                (task, read), begun = begun, self._begin(todo, reader)
                self.on_start(task)
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

    def _begin(
        self, todo: deque[Task], reader: ThreadPoolExecutor
    ) -> tuple[Task, Future[Document] | None] | None:
        """Take the next file and let it be read, if it is a picture; None when none is left."""
        try:
            task = todo.popleft()  # by one thread only, though several may try
        except IndexError:
            return None
        picture = task.kind == "picture"
        return task, reader.submit(read_document, task.source) if picture else None

    def _strips(self, document: Document) -> tuple[Layout, Strips, dict[str, str]]:
        """Return what the enlarged picture is, its strips to be computed, and its provenance."""
        layout, strips = enlarged_strips(
            document, self.upscaler, wanted=self.wanted, on_tile=self.on_tile
        )
        return layout, strips, provenance(self.upscaler, depth=document.depth)

    def _enlarge(self, task: Task, document: Document, writer: ThreadPoolExecutor) -> Future[None]:
        layout, strips, told = self._strips(document)
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
    """The picture is not to be completed."""


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


def _computed(strips: Strips) -> Strips:
    """Yield strips; what goes wrong in computing them shall not be told as one of writing."""
    try:
        yield from strips
    except ValueError as error:
        raise RuntimeError(f"computing failed: {error}") from error


@contextlib.contextmanager
def _told(task: Task) -> Iterator[None]:
    """Say of what the system refuses which file it was."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UserError(f"{task.target}: cannot be written ({reason or error})") from None

"""A contender in a process of its own, with nothing of its opponent's settings."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

_contender: Any = None


class Alone:
    """Builds a contender in a new process and asks it there.

    Args:
        build: a function of a module; what it returns is the contender.
        arguments: its arguments.
    """

    def __init__(self, build: Callable[..., Any], *arguments: Any) -> None:
        self.process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self.process.submit(_build, build, arguments).result()

    def ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a module with the contender and some arguments."""
        return self.process.submit(_ask, question, arguments).result()


def _build(build: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    global _contender
    _contender = build(*arguments)


def _ask(question: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return question(_contender, *arguments)

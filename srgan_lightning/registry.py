"""Things that a config chooses by name: networks, losses, degradations."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, get_type_hints

import pydantic

from srgan_lightning.errors import UserError, nearest

T = TypeVar("T")
UNION_MEMBERS = {"str", "int", "float", "bool", "none", "constrained-int", "constrained-float"}
C = TypeVar("C", bound=type)


class Registry(Generic[T]):
    """Classes under names, built from plain config values.

    A class is registered with the decorator and needs a keyword-only constructor with annotated
    arguments; these annotations are the schema that a config node is checked against.

    Args:
        kind: what the entries are, for error messages ("generator").

    Example:
        >>> shapes = Registry[object]("shape")
        >>> @shapes.register("square")
        ... class Square:
        ...     def __init__(self, *, side: float = 1.0) -> None:
        ...         self.side = side
        >>> shapes.build("square", {"side": 2}).side
        2.0
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, Callable[..., T]] = {}
        self._deferred: dict[str, str] = {}

    def register(self, name: str) -> Callable[[C], C]:
        """Return a decorator that enters a class under `name`; a second entry is refused."""

        def enter(cls: C) -> C:
            if self._classes.setdefault(name, cls) is not cls:
                raise UserError(f"there is already a {self.kind} named {name!r}")
            return cls

        return enter

    def defer(self, name: str, module: str) -> None:
        """Enter a class that a module registers, which is imported when it is first asked for."""
        self._deferred[name] = module

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes.keys() | self._deferred))

    def __contains__(self, name: object) -> bool:
        return name in self._classes or name in self._deferred

    def get(self, name: str) -> Callable[..., T]:
        """Return the class named `name`, or raise a `UserError` that lists the known names."""
        if name in self._deferred:
            importlib.import_module(self._deferred[name])
        if name not in self._classes:
            raise UserError(
                f"unknown {self.kind} {name!r}: {nearest(name, self)}; "
                "one of your own needs its module in plugins"
            )
        return self._classes[name]

    def build(self, name: str, arguments: Mapping[str, Any], /, **given: Any) -> T:
        """Build the class named `name`.

        Args:
            name: a registered name.
            arguments: plain config values, checked against the constructor's annotations.
            **given: arguments that the caller provides as they are, where the class takes them
                (the scale, say); a config node may repeat but not contradict them.

        Raises:
            UserError: for an unknown name, an unknown argument or a value of the wrong type.
        """
        cls = self.get(name)
        parameters = inspect.signature(cls).parameters
        offered = {key: value for key, value in given.items() if key in parameters}
        for key in offered.keys() & arguments.keys():
            if offered[key] != arguments[key]:
                raise UserError(
                    f"{self.kind}.{key}: {arguments[key]!r} contradicts {offered[key]!r}, "
                    "which the rest of the config demands"
                )
        checked = check_arguments(cls, {**arguments, **offered}, where=self.kind)
        return cls(**checked)


def check_arguments(
    function: Callable[..., Any], arguments: Mapping[str, Any], *, where: str
) -> dict[str, Any]:
    """Check plain values against a constructor's annotations and convert them (lists to tuples).

    Raises:
        UserError: one line with the place, the value and what is allowed.
    """
    target = function.__init__ if inspect.isclass(function) else function
    hints = get_type_hints(target)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue  # what nn.Module's own constructor has; it names no option
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[name] = (hints.get(name, Any), default)
    for key in arguments:
        if key not in fields:
            raise UserError(f"{where}.{key}: no such option; {nearest(key, fields)}")
    model = pydantic.create_model(
        "Arguments",
        __config__=pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        **fields,
    )
    try:
        checked = model(**arguments)
    except pydantic.ValidationError as error:
        raise UserError(describe(error, where=where)) from None
    return {key: getattr(checked, key) for key in arguments}


def describe(error: pydantic.ValidationError, *, where: str = "") -> str:
    """Put the first fault that pydantic found into one line."""
    fault = error.errors(include_url=False)[0]
    keys = [str(part) for part in fault["loc"] if str(part) not in UNION_MEMBERS]
    place = ".".join([where, *keys] if where else keys)
    if fault["type"] == "missing":
        return f"{place}: is required and not set"
    if fault["input"] is None:
        return f"{place}: must be given; add {place}=VALUE"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')} (got {fault['input']!r})"

"""Hydra's config tree: composed, checked, and its mistakes told in one line."""

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic
from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra import main as hydra_main
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import MISSING, DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.registry import describe

CONFIG_MODULE = "srgan_lightning.conf"
M = TypeVar("M", bound=pydantic.BaseModel)


def compose(overrides: Sequence[str] = (), *, application: str = "train") -> dict[str, Any]:
    """Compose a config as the command line does.

    Args:
        overrides: Hydra overrides, such as `["experiment=srgan", "trainer=cpu"]`.
        application: `train` or `evaluate`.

    Returns:
        The config as plain containers, interpolations resolved.

    Raises:
        UserError: for a misspelt key or an unknown option, with the nearest known ones.
    """
    try:
        with initialize_config_module(CONFIG_MODULE, version_base="1.3", job_name=application):
            config = hydra_compose(application, overrides=list(overrides))
            return plain(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, application=application) from None


def plain(config: DictConfig) -> dict[str, Any]:
    """Resolve a config into plain containers.

    Raises:
        UserError: a value that has to be given is missing.
    """
    entries = _dotted(OmegaConf.to_container(config, resolve=False))
    missing = [key for key, value in entries if value == MISSING]
    if missing:
        raise UserError(f"{missing[0]}: is required here; add {missing[0]}=VALUE")
    container = OmegaConf.to_container(config, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def check(model: type[M], values: Mapping[str, Any], *, where: str = "") -> M:
    """Turn plain values into a frozen config object.

    Raises:
        UserError: for an unknown key or a value of the wrong type, in one line with the nearest
            valid names.
    """
    try:
        return model.model_validate(dict(values))
    except pydantic.ValidationError as error:
        fault = error.errors(include_url=False)[0]
        if fault["type"] != "extra_forbidden":
            raise UserError(describe(error, where=where)) from None
        *path, key = [str(part) for part in fault["loc"]]
        place = ".".join([where, *path, key] if where else [*path, key])
        known = _fields(model, path)
        raise UserError(f"{place}: no such option; {nearest(key, known)}") from None


def _fields(model: type[pydantic.BaseModel], path: Sequence[str]) -> Iterable[str]:
    """Return the field names of the model that lies at `path` within `model`."""
    for part in path:
        field = model.model_fields.get(part)
        if field is None:
            continue  # the name of an entry in a mapping of models
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        models = [t for t in inner if isinstance(t, type) and issubclass(t, pydantic.BaseModel)]
        model = models[0] if models else model
    return model.model_fields


def import_plugins(modules: Iterable[str]) -> None:
    """Import the user's modules, which register networks, losses and degradations by name.

    The working directory is searched too, so a file beside the run needs no installation.

    Raises:
        UserError: a module cannot be imported.
    """
    for module in modules:
        here = str(Path.cwd())
        if "" not in sys.path and here not in sys.path:
            sys.path.insert(0, here)
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f"plugins: cannot import {module!r}: {error}") from None


def run_application(
    application: str, task: Callable[[DictConfig], Any], arguments: Sequence[str]
) -> None:
    """Run a Hydra application: overrides, `--multirun`, `--cfg`, `--config-dir` and the rest.

    Hydra reads `sys.argv`; it sees the arguments after the sub-command, and while the task runs
    `sys.argv` is whole again, since Lightning starts its DDP processes by repeating it.

    Args:
        application: `train` or `evaluate`, the config's name.
        task: what to do with the composed config.
        arguments: the command line after the sub-command.

    Raises:
        UserError: for a mistake in the config.
    """
    whole = list(sys.argv)
    mistakes: list[UserError] = []

    def with_whole_argv(config: DictConfig) -> Any:
        sys.argv = whole
        try:
            return task(config)
        except UserError as mistake:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise  # this job has failed; what becomes of the others is the launcher's affair
            mistakes.append(mistake)  # Hydra would announce it in words of its own
            return None

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us as they are; we tell them
    # argparse takes overrides in one piece only: flags go first
    sys.argv = [whole[0], *sorted(arguments, key=_is_override)]
    try:
        hydra_main(
            config_path=f"pkg://{CONFIG_MODULE}", config_name=application, version_base="1.3"
        )(with_whole_argv)()
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, application=application) from None
    finally:
        sys.argv = whole
    if mistakes:
        raise mistakes[0]


def _is_override(argument: str) -> bool:
    return argument.startswith("~") or ("=" in argument and not argument.startswith("-"))


def explain(error: Exception, *, application: str) -> UserError:
    """Tell Hydra's error in one line, with the nearest valid names."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, option = (error.missing_cfg_file or "").rpartition("/")
        return UserError(f"{group}={option}: no such option; {nearest(option, error.options)}")
    if isinstance(error, OverrideParseException):
        return UserError(f"cannot read the override {error.override!r}: {text.splitlines()[0]}")
    if match := re.search(r"Could not override '([^']+)'", text):
        key, known = match.group(1), _near(match.group(1), application)
        if key not in known:
            return UserError(f"{key}: no such option; {nearest(key, known)}")
        text = f"{key}: {str(error.__cause__ or text).splitlines()[0]}"
    cause = error.__cause__
    if cause is not None and not text.strip():
        text = str(cause)
    return UserError(" ".join(text.split()))


def _near(key: str, application: str) -> list[str]:
    """Return the keys of the default config on the deepest level that `key` gets right."""
    with initialize_config_module(CONFIG_MODULE, version_base="1.3", job_name=application):
        config = hydra_compose(application, return_hydra_config=True)
    groups = {str(group) for group in config.hydra.runtime.choices if "/" not in str(group)}
    with open_dict(config):
        del config.hydra
    keys = [path for path, _ in _dotted(OmegaConf.to_container(config, resolve=False))]
    parts = key.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        prefix = ".".join(parts[:depth])
        level = {k for k in keys if k.rpartition(".")[0] == prefix}
        if level:
            return sorted(level | groups if not prefix else level)
    return keys


def _dotted(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            yield path, value
            yield from _dotted(value, path)

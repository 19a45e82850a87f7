"""Weights on the Hugging Face hub, up and down."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from srgan_lightning.errors import UserError

FILE = "generator.safetensors"
PLACE = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+?))?(?:/([\w./-]+\.\w+))?")


def pull(place: str) -> Path:
    """Download weights, unless the hub's own cache has them.

    Args:
        place: `owner/name`, with `@revision` for one that is not the latest and `/file` for another
            file than `generator.safetensors`.

    Returns:
        The file, in the hub's cache (HF_HOME).

    Raises:
        UserError: for a place that is none or cannot be reached, and where the extra is missing.
    """
    match = PLACE.fullmatch(place)
    if match is None:
        raise UserError(f"hf://{place}: is no place on the hub; say hf://owner/name[@rev][/file]")
    repo, revision, file = match.groups()
    hub = _library()
    try:
        return Path(hub.hf_hub_download(repo, file or FILE, revision=revision))
    except Exception as error:  # noqa: BLE001 - the library's have no base of their own
        raise UserError(f"hf://{place}: cannot be had ({_line(error)})") from None


def push(
    weights: Path, card: str, repo: str, *, pictures: Iterable[Path] = (), private: bool = False
) -> str:
    """Upload weights as `generator.safetensors` and their model card as `README.md`.

    Args:
        weights: a generator file.
        card: Markdown.
        pictures: those that the card shows, by their names.
        repo: `owner/name`; it is made if need be.
        private: whether others see a repository that is made now.

    Returns:
        Where it is to be seen.

    Raises:
        UserError: where nobody is logged in or the hub refuses, and where the extra is missing.
    """
    hub = _library()
    files = {FILE: weights, "README.md": card.encode(), **{path.name: path for path in pictures}}
    try:
        api = hub.HfApi()
        url = api.create_repo(repo, private=private, exist_ok=True)
        api.create_commit(
            repo,
            [
                hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
                for name, content in files.items()
            ],
            commit_message="Upload weights with srgan-lightning",
        )
    except Exception as error:  # noqa: BLE001 - as above
        raise UserError(f"{repo}: cannot be uploaded ({_line(error)})") from None
    return str(url)


def _library() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        raise UserError(
            "hf://: needs huggingface_hub; pip install 'srgan-lightning[hub]' brings it"
        ) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

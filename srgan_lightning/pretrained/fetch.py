"""Weights of others, from a URL into the cache."""

import hashlib
import warnings
from pathlib import Path, PurePosixPath
from urllib.parse import urldefrag, urlsplit

import platformdirs

from srgan_lightning.download import download, hold_checksum
from srgan_lightning.errors import UserError

CHECKSUM = "sha256="


def cache_folder() -> Path:
    """Return where fetched weights are kept: the user's cache folder (XDG_CACHE_HOME on Linux)."""
    return platformdirs.user_cache_path("srgan_lightning", appauthor=False) / "weights"


def fetch(url: str) -> Path:
    """Download weights, unless they lie in the cache, and hold them to their checksum.

    A URL that names no checksum is held to the file that came first.

    Args:
        url: of a file; it may end in `#sha256=` and 64 hexadecimal digits.

    Returns:
        The file, in the cache.

    Raises:
        UserError: where the file cannot be had, or is not what its checksum says; a wrong one does
            not stay in the cache.
    """
    address, fragment = urldefrag(url)
    wanted = fragment.removeprefix(CHECKSUM).lower()
    if fragment and (len(wanted) != 64 or not set(wanted) <= set("0123456789abcdef")):
        raise UserError(f"{url}: after # comes sha256= and 64 hexadecimal digits")
    name = PurePosixPath(urlsplit(address).path).name or "weights"
    folder = cache_folder() / hashlib.sha256(address.encode()).hexdigest()[:16]
    path = folder / name
    if not path.is_file():
        download(address, path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if wanted and found != wanted:
        path.unlink()
        raise UserError(
            f"{address}: has SHA-256 {found[:12]}… and not {wanted[:12]}…; it is not kept, ask its "
            "author which one is right"
        )
    if not wanted:
        if not (folder / f"{name}.sha256").exists():
            warnings.warn(
                f"{address}: comes without a checksum; from now on it is held to "
                f"#{CHECKSUM}{found}",
                stacklevel=2,
            )
        hold_checksum(path)
    return path

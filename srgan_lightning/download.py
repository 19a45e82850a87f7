"""One file over HTTP: resumed where it broke off, and the same for ever after."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import requests

from srgan_lightning.errors import UserError

Progress = Callable[[int, int | None], None]
"""Called with the bytes there so far and, where it is known, the size of the whole file."""

CHUNK = 1 << 16
CONNECT_AND_READ_SECONDS = (10, 60)


def download(url: str, path: Path, *, progress: Progress = lambda done, total: None) -> None:
    """Download `url` to `path`.

    The bytes gather in `path` + ".part". A connection that breaks is taken up again for as long as
    every attempt brings something new, and a later call goes on with what an earlier one left,
    unless the server's file has changed since (its ETag or date says so).

    Args:
        url: http or https.
        path: the finished file; its folder is made.
        progress: called after each piece.

    Raises:
        UserError: if the server cannot be reached, refuses or stops sending (the line says where to
            put the file by hand), or if the disk is too small for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _beside(path, ".part")
    while True:
        before = _size(part)
        try:
            _receive(url, part, progress)
        except requests.RequestException as error:
            if _size(part) > before:
                continue
            resumable = before and _validator_of(part).exists()
            kept = f"; {before:,} bytes are kept to go on from" if resumable else ""
            raise UserError(
                f"cannot download {url} ({_cause(error)}): run the same command again with a "
                f"network, or put that file by hand at {path.absolute()}{kept}"
            ) from None
        part.replace(path)
        _validator_of(part).unlink(missing_ok=True)
        return


def hold_checksum(path: Path) -> str:
    """Compare a file with the checksum recorded when it was first seen.

    The record is `path` + ".sha256", in the format of the `sha256sum` program. It outlives the
    file, so a later download of the same name must bring the same bytes.

    Returns:
        The SHA-256 of the file, in hexadecimal.

    Raises:
        UserError: if the file is not the one recorded.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    record = _beside(path, ".sha256")
    if not record.exists():
        draft = _beside(record, ".part")
        draft.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
        draft.replace(record)
    recorded = record.read_text(encoding="utf-8").partition(" ")[0]
    if recorded != digest:
        raise UserError(
            f"{path} has SHA-256 {digest[:12]}…, but {record.name} recorded {recorded[:12]}… "
            f"at the first download: delete {path.name} to download it again, or {record.name} to "
            "accept the new one"
        )
    return digest


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Append what is missing to `part`, or start it anew where the server will not go on."""
    validator = _validator_of(part)
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}
    if have and validator.exists():
        headers["Range"] = f"bytes={have}-"
        headers["If-Range"] = validator.read_text(encoding="utf-8")
    with requests.get(
        url, headers=headers, stream=True, timeout=CONNECT_AND_READ_SECONDS
    ) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            return _receive(url, part, progress)
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        demand_space(part.parent, (total or 0) - have)
        _remember(validator, response)
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
    if total is not None and have != total:
        raise requests.ConnectionError(f"the server closed after {have:,} of {total:,} bytes")
    return None


def demand_space(folder: Path, needed: int) -> None:
    """Raise a `UserError` if the disk under `folder` has less than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder.absolute()} has {free / 1e9:.1f} GB left and {needed / 1e9:.1f} GB are "
            "needed: free some space or choose another folder with --root"
        )


def _remember(validator: Path, response: requests.Response) -> None:
    """Keep what tells this version of the server's file from the next (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag", "")
    version = response.headers.get("Last-Modified", "") if etag[:2] in {"", "W/"} else etag
    if version:
        validator.write_text(version, encoding="utf-8")
    else:
        validator.unlink(missing_ok=True)


def _cause(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    return "no connection"


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _validator_of(part: Path) -> Path:
    return _beside(part, ".version")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

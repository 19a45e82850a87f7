import hashlib
import io
import os
import re
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from srgan_lightning import download as module
from srgan_lightning.data.catalog import DATASETS, find_dataset
from srgan_lightning.data.unpack import unpack
from srgan_lightning.download import download, hold_checksum
from srgan_lightning.errors import UserError

CONTENT = bytes(range(256)) * 4096


class Server(ThreadingHTTPServer):
    """A loopback server of one file, which breaks off after `allowance` bytes while told so."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.etag = '"first"'
        self.status = 200
        self.allowances: list[int] = []
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/some/file.bin?version=1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = 0
        if asked and self.headers.get("If-Range") == server.etag:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        self.wfile.write(body[: server.allowances.pop(0) if server.allowances else None])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(module, "CHUNK", 4096)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_downloads_whole_and_leaves_nothing_else(server: Server, tmp_path: Path):
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "file.bin"
    download(server.url, target, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert files(target.parent) == ["file.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_a_broken_connection_is_resumed(server: Server, tmp_path: Path):
    server.allowances = [102_400, 40_960]
    target = tmp_path / "file.bin"
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    first, second, third = server.ranges
    assert first is None
    assert second == "bytes=102400-"
    assert third == "bytes=143360-"


def test_a_later_call_goes_on_where_an_earlier_one_stopped(server: Server, tmp_path: Path):
    server.allowances = [69_632, 0]
    target = tmp_path / "file.bin"
    with pytest.raises(UserError, match=r"69,632 bytes are kept"):
        download(server.url, target)
    assert not target.exists()
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=69632-"
    assert files(tmp_path) == ["file.bin"]


def test_a_changed_file_on_the_server_is_taken_from_its_start(server: Server, tmp_path: Path):
    server.allowances = [69_632, 0]
    target = tmp_path / "file.bin"
    with pytest.raises(UserError):
        download(server.url, target)
    server.content, server.etag = CONTENT[::-1], '"second"'
    download(server.url, target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_finished_part_is_not_taken_for_a_longer_file(server: Server, tmp_path: Path):
    target = tmp_path / "file.bin"
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    (tmp_path / "file.bin.part.version").write_text(server.etag)
    download(server.url, target)
    assert target.read_bytes() == CONTENT


def test_without_a_version_nothing_is_glued_together(server: Server, tmp_path: Path):
    server.etag = ""
    server.allowances = [69_632, 0]
    target = tmp_path / "file.bin"
    with pytest.raises(UserError, match=r"file\.bin$"):
        download(server.url, target)
    download(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None] * len(server.ranges)


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_is_one_line_with_the_way_out(server: Server, tmp_path: Path, status: int):
    server.status = status
    target = tmp_path / "file.bin"
    with pytest.raises(UserError) as caught:
        download(server.url, target)
    message = str(caught.value)
    assert "\n" not in message
    assert server.url in message
    assert str(status) in message
    assert str(target) in message


def test_offline_is_one_line_with_the_way_out(server: Server, tmp_path: Path):
    url = server.url
    server.server_close()
    with pytest.raises(UserError) as caught:
        download(url, tmp_path / "file.bin")
    message = str(caught.value)
    assert "\n" not in message
    assert url in message
    assert f"by hand at {tmp_path / 'file.bin'}" in message


def test_a_full_disk_is_noticed_before_it_is_full(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = module.shutil.disk_usage(tmp_path)._replace(free=len(CONTENT) - 1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match="GB left"):
        download(server.url, tmp_path / "file.bin")


def test_the_first_checksum_is_held(tmp_path: Path):
    archive = tmp_path / "set.zip"
    archive.write_bytes(b"one")
    digest = hashlib.sha256(b"one").hexdigest()
    assert hold_checksum(archive) == digest
    assert (tmp_path / "set.zip.sha256").read_text() == f"{digest}  set.zip\n"
    assert hold_checksum(archive) == digest
    archive.write_bytes(b"two")
    with pytest.raises(UserError, match=r"delete set\.zip"):
        hold_checksum(archive)
    assert files(tmp_path) == ["set.zip", "set.zip.sha256"]


def pack_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def pack_tar(path: Path, members: dict[str, bytes]) -> Path:
    mode = "w:gz" if path.suffix == ".gz" else "w"
    with tarfile.open(path, mode) as packed:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


PACKERS = {"set.zip": pack_zip, "set.tar": pack_tar, "set.tar.gz": pack_tar}


@pytest.fixture(params=PACKERS)
def packer(request: pytest.FixtureRequest, tmp_path: Path):
    return lambda members: PACKERS[request.param](tmp_path / request.param, members)


def test_unpacks_the_folder_asked_for_and_nothing_else(packer, tmp_path: Path):
    archive = packer({"./set/X4/1.png": b"one", "set/X4/deep/2.png": b"two", "notes.txt": b""})
    seen = []
    unpack(archive, tmp_path, folder="set/X4", progress=lambda *counts: seen.append(counts))
    assert (tmp_path / "set/X4/1.png").read_bytes() == b"one"
    assert (tmp_path / "set/X4/deep/2.png").read_bytes() == b"two"
    assert files(tmp_path) == ["set", archive.name]
    assert seen == [(3, 6), (6, 6)]


@pytest.mark.parametrize("name", ["../out.png", "set/../../out.png", "/out.png", "c:\\out.png"])
def test_a_path_out_of_the_archive_is_refused_whole(packer, tmp_path: Path, name: str):
    archive = packer({"set/1.png": b"one", name: b"evil"})
    with pytest.raises(UserError, match="not unpacked"):
        unpack(archive, tmp_path, folder="set")
    assert files(tmp_path) == [archive.name]
    assert not (tmp_path.parent / "out.png").exists()


def test_links_are_refused(tmp_path: Path):
    linked_zip = tmp_path / "set.zip"
    with zipfile.ZipFile(linked_zip, "w") as packed:
        info = zipfile.ZipInfo("set/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc")
    linked_tar = tmp_path / "set.tar"
    with tarfile.open(linked_tar, "w") as packed_tar:
        member = tarfile.TarInfo("set/link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        packed_tar.addfile(member)
    for archive in (linked_zip, linked_tar):
        with pytest.raises(UserError, match="link"):
            unpack(archive, tmp_path, folder="set")


def test_a_damaged_archive_leaves_nothing(packer, tmp_path: Path):
    archive = packer({f"set/{i}.png": os.urandom(20_000) for i in range(3)})
    whole = archive.read_bytes()
    archive.write_bytes(whole[:25_000])
    with pytest.raises(UserError, match="is damaged"):
        unpack(archive, tmp_path, folder="set")
    assert files(tmp_path) == [archive.name]


def test_a_flipped_bit_in_a_zip_is_noticed(tmp_path: Path):
    archive = pack_zip(tmp_path / "set.zip", {"set/1.png": bytes(1000)})
    content = bytearray(archive.read_bytes())
    content[500] ^= 1
    archive.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        unpack(archive, tmp_path, folder="set")


def test_an_archive_of_something_else_is_named(packer, tmp_path: Path):
    archive = packer({"other/1.png": b"one"})
    with pytest.raises(UserError, match="has no folder set"):
        unpack(archive, tmp_path, folder="set")


def test_the_catalogue_is_consistent():
    for name, dataset in DATASETS.items():
        parts = dataset.hr + dataset.lr
        assert len({part.name for part in parts}) == len(parts)
        assert len(dataset.hr) == len(dataset.lr)
        for part in parts:
            assert part.archive.url.startswith("https://")
            assert Path(part.folder).is_relative_to(part.archive.folder)
        assert find_dataset(name) is dataset


def test_an_unknown_data_set_is_told_the_known_ones():
    with pytest.raises(UserError, match=r"did you mean div2k\?.*urban100"):
        find_dataset("div2")

"""Weights of others come over HTTP and from the hub, by the real clients and loopback servers."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from srgan_lightning.errors import UserError
from srgan_lightning.networks.weights import read_generator
from srgan_lightning.pretrained import BOX, locate
from srgan_lightning.pretrained import hub as hub_module
from srgan_lightning.pretrained.fetch import cache_folder

WEIGHTS = BOX["photo-psnr"].weights.read_bytes()
DIGEST = BOX["photo-psnr"].sha256
COMMIT = "c0ffee" + "0" * 34


class Hub(ThreadingHTTPServer):
    """A host of files, which also takes them as the hub does: small ones, inside the commit."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path.partition("?")[0])
        if content is None:
            self.send_error(404)
            return
        self._answer(content)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        match self.path.split("/")[2:]:
            case ["repos", "create"]:
                self._tell({"url": f"{self.server.url}/me/net"})
            case ["validate-yaml"]:
                self._tell({"errors": [], "warnings": []})
            case ["models", "me", "net", "preupload", "main"]:
                paths = [file["path"] for file in json.loads(body)["files"]]
                mode = {"uploadMode": "regular", "shouldIgnore": False}
                self._tell({"files": [{"path": path, **mode} for path in paths]})
            case ["models", "me", "net", "commit", "main"]:
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        path = f"/me/net/resolve/main/{line['value']['path']}"
                        self.server.files[path] = base64.b64decode(line["value"]["content"])
                url = f"{self.server.url}/me/net/commit/{COMMIT}"
                self._tell({"commitOid": COMMIT, "commitUrl": url, "success": True})
            case _:
                self.send_error(404)

    def _tell(self, answer: object) -> None:
        self._answer(json.dumps(answer).encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    return tmp_path


def test_a_url_is_fetched_once(server):
    server.files["/big.safetensors"] = WEIGHTS
    url = f"{server.url}/big.safetensors#sha256={DIGEST}"
    path = locate(url)
    assert path.is_relative_to(cache_folder())
    assert read_generator(url).name == "compact"
    assert server.asked == ["/big.safetensors"]
    server.files.clear()
    assert locate(url) == path


def test_another_file_than_the_checksum_says_is_not_kept(server):
    server.files["/big.safetensors"] = b"something else"
    with pytest.raises(UserError, match=rf"has SHA-256 .* and not {DIGEST[:12]}…; it is not kept"):
        locate(f"{server.url}/big.safetensors#sha256={DIGEST}")
    assert not [path for path in cache_folder().rglob("*") if path.is_file()]


def test_without_a_checksum_the_first_file_is_held(server):
    server.files["/big.safetensors"] = WEIGHTS
    url = f"{server.url}/big.safetensors"
    with pytest.warns(UserWarning, match=f"comes without a checksum; .* held to #sha256={DIGEST}"):
        path = locate(url)
    assert locate(url) == path  # without a warning
    path.unlink()
    server.files["/big.safetensors"] = WEIGHTS + b"more"
    with pytest.raises(UserError, match=r"recorded .* at the first download"):
        locate(url)


def test_two_files_of_one_name_do_not_meet(server):
    for folder in ("a", "b"):
        server.files[f"/{folder}/net.pth"] = folder.encode()
        digest = hashlib.sha256(folder.encode()).hexdigest()
        path = locate(f"{server.url}/{folder}/net.pth#sha256={digest}")
        assert path.read_bytes() == folder.encode()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("http://127.0.0.1:9/net.pth", r"cannot download http://127\.0\.0\.1:9/net\.pth"),
        ("https://host/net.pth#md5=abc", "after # comes sha256= and 64 hexadecimal digits"),
        ("hf://net", r"is no place on the hub; say hf://owner/name\[@rev\]\[/file\]"),
    ],
)
def test_what_cannot_be_had_ends_in_a_line(place, message):
    with pytest.raises(UserError, match=message):
        locate(place)


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("me/net", ("me/net", None, None)),
        ("me/net@v1.0", ("me/net", "v1.0", None)),
        ("me/net/x4.pth", ("me/net", None, "x4.pth")),
        ("me/net@v1/folder/x4.pth", ("me/net", "v1", "folder/x4.pth")),
    ],
)
def test_places_on_the_hub_are_read(place, parts):
    match = hub_module.PLACE.fullmatch(place)
    assert match is not None
    assert match.groups() == parts


def test_without_the_extra_a_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"pip install 'srgan-lightning\[hub\]' brings it"):
        locate("hf://me/net")


def srgan(endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "srgan_lightning", *arguments]
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": "hf_of_a_test"}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_what_was_pushed_to_the_hub_is_pulled_from_it(server):
    pushed = srgan(server.url, "models", "push", "cosmic", "me/net")
    assert pushed.returncode == 0, pushed.stderr
    assert "uploaded; --model hf://me/net" in pushed.stdout
    page = server.files["/me/net/resolve/main/README.md"].decode()
    assert page.startswith("---\nlicense: ")
    assert "# cosmic" in page
    assert BOX["cosmic"].pictures
    for picture in BOX["cosmic"].pictures:
        assert server.files[f"/me/net/resolve/main/{picture.name}"] == picture.read_bytes()
    pulled = srgan(server.url, "info", "hf://me/net")
    assert pulled.returncode == 0, pulled.stderr
    assert BOX["cosmic"].sha256 in pulled.stdout.replace("\n", "").replace(" ", "")


def test_offline_the_hub_ends_in_one_line():
    outcome = srgan("http://127.0.0.1:9", "info", "hf://me/net")
    assert outcome.returncode == 2
    assert outcome.stderr.splitlines()[-1].startswith("srgan: error: hf://me/net: cannot be had (")
    assert "Traceback" not in outcome.stderr

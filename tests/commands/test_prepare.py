import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from safetensors.numpy import load_file
from typer.testing import CliRunner, Result

from srgan_lightning.commands.prepare import prepare
from srgan_lightning.data import catalog
from srgan_lightning.data.catalog import Archive, Dataset, Part
from srgan_lightning.data.sources import open_source
from srgan_lightning.errors import UserError

Prepare = Callable[..., Result]


@pytest.fixture
def run() -> Prepare:
    app = typer.Typer()
    app.command()(prepare)

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(
            app, [str(argument) for argument in arguments], catch_exceptions=False
        )

    return invoke


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed, name in enumerate(["a.png", "deep/b.png"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 52, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def toyset(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[http.server.ThreadingHTTPServer]:
    """Serve a data set of two archives on loopback and enter it into the catalogue."""
    monkeypatch.setenv("NO_PROXY", "*")
    www = tmp_path / "www"
    www.mkdir()
    for folder in ("Toy_HR", "Toy_LR"):
        with zipfile.ZipFile(www / f"{folder}.zip", "w") as packed:
            packed.write(photos / "a.png", f"{folder}/1.png")
            packed.write(photos / "deep/b.png", f"{folder}/2.png")
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(www))
    ) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        hr, lr = (
            Part(kind.lower(), Archive(f"{url}/Toy_{kind}.zip", f"Toy_{kind}"), f"Toy_{kind}")
            for kind in ("HR", "LR")
        )
        monkeypatch.setitem(catalog.DATASETS, "toyset", Dataset("A toy", hr=(hr,), lr=(lr,)))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_folder_becomes_a_store_that_is_taken_like_the_folder(
    run: Prepare, photos: Path, tmp_path: Path
):
    store = tmp_path / "new" / "photos.safetensors"
    result = run(photos, "-o", store)
    assert result.exit_code == 0
    assert "2 pictures" in result.stdout
    assert open_source(str(store)).names == open_source(str(photos)).names
    for name, pixels in load_file(store).items():
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(photos / name)))


def test_an_unreadable_picture_is_named(run: Prepare, photos: Path, tmp_path: Path):
    (photos / "broken.png").write_bytes(b"no picture")
    result = run(photos, "-o", tmp_path / "photos.safetensors")
    assert "broken.png" in result.stderr
    assert "2 pictures" in result.stdout


def test_a_folder_needs_a_name_for_its_store(run: Prepare, photos: Path):
    with pytest.raises(UserError, match=r"-o photos\.safetensors"):
        run(photos)


def test_a_store_is_replaced_only_on_demand(run: Prepare, photos: Path, tmp_path: Path):
    store = tmp_path / "photos.safetensors"
    run(photos, "-o", store)
    (photos / "a.png").unlink()
    with pytest.raises(UserError, match="--overwrite"):
        run(photos, "-o", store)
    assert len(open_source(str(store))) == 2
    run(photos, "-o", store, "--overwrite")
    assert len(open_source(str(store))) == 1


def test_check_tells_an_intact_store_from_a_changed_one(run: Prepare, photos: Path, tmp_path: Path):
    store = tmp_path / "photos.safetensors"
    run(photos, "-o", store)
    assert "2 pictures, intact" in run(store, "--check").stdout
    content = bytearray(store.read_bytes())
    content[-1] ^= 1
    store.write_bytes(content)
    with pytest.raises(UserError, match="checksum"):
        run(store, "--check")


@pytest.mark.usefixtures("toyset")
def test_a_data_set_is_downloaded_unpacked_and_packed(run: Prepare, tmp_path: Path):
    root = tmp_path / "data"
    assert run("toyset", "--root", root).exit_code == 0
    assert (root / "Toy_HR.zip.sha256").exists()
    assert sorted(path.name for path in (root / "Toy_HR").iterdir()) == ["1.png", "2.png"]
    assert open_source(str(root / "toyset_hr.safetensors")).names == ["1.png", "2.png"]
    assert not (root / "Toy_LR").exists()
    again = run("toyset", "--root", root, "--lr", "-o", tmp_path / "stores")
    assert again.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "stores").iterdir()) == [
        "toyset_hr.safetensors",
        "toyset_lr.safetensors",
    ]


@pytest.mark.usefixtures("toyset")
def test_a_data_set_of_one_part_may_name_its_store(run: Prepare, tmp_path: Path):
    root, store = tmp_path / "data", tmp_path / "toy.safetensors"
    with pytest.raises(UserError, match="2 stores"):
        run("toyset", "--root", root, "-o", store, "--lr")
    run("toyset", "--root", root, "-o", store)
    assert len(open_source(str(store))) == 2


def test_what_is_there_is_not_fetched_again(
    run: Prepare, toyset: http.server.ThreadingHTTPServer, tmp_path: Path
):
    root = tmp_path / "data"
    run("toyset", "--root", root)
    toyset.server_close()
    assert "is there already" in run("toyset", "--root", root).stdout
    (root / "toyset_hr.safetensors").unlink()
    assert "2 pictures" in run("toyset", "--root", root).stdout


def test_offline_an_archive_put_there_by_hand_does(
    run: Prepare, toyset: http.server.ThreadingHTTPServer, tmp_path: Path
):
    root = tmp_path / "data"
    toyset.server_close()
    with pytest.raises(UserError) as caught:
        run("toyset", "--root", root)
    place = root / "Toy_HR.zip"
    assert f"by hand at {place}" in str(caught.value)
    place.write_bytes((tmp_path / "www" / "Toy_HR.zip").read_bytes())
    assert "2 pictures" in run("toyset", "--root", root).stdout


@pytest.mark.usefixtures("toyset")
def test_another_archive_under_the_same_name_is_refused(run: Prepare, tmp_path: Path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "Toy_HR.zip.sha256").write_text("0" * 64 + "  Toy_HR.zip\n")
    with pytest.raises(UserError, match=r"recorded 000000000000"):
        run("toyset", "--root", root)
    assert not (root / "Toy_HR").exists()


def test_an_unknown_source_is_told_what_there_is(run: Prepare, tmp_path: Path):
    with pytest.raises(UserError, match="did you mean set14"):
        run("set41", "--root", tmp_path)


def test_help_names_every_data_set(run: Prepare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = run("--help").stdout
    for name in catalog.DATASETS:
        assert name in shown


def test_nothing_heavy_is_imported_for_the_help():
    heavy = "{'torch', 'numpy', 'PIL', 'requests', 'pydantic'}"
    program = f"import sys, srgan_lightning.commands.prepare; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "set()", shown.stderr

import json
import pickle
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from srgan_lightning.data import store as store_module
from srgan_lightning.data.store import Store, pack, verify
from srgan_lightning.errors import UserError


@pytest.fixture
def packed(tmp_path, write_pictures):
    names = ["b.png", "a/ä.png", "a/c.tif"]
    pictures = write_pictures(tmp_path / "in", names)
    result = pack(tmp_path / "in", tmp_path / "out.safetensors")
    assert (result.count, result.rejected) == (3, ())
    return tmp_path / "out.safetensors", pictures


def test_store_gives_back_the_pictures(packed):
    path, expected = packed
    pictures = Store(path).pictures()
    assert [picture.name for picture in pictures] == sorted(expected)
    for picture in pictures:
        assert picture.size == expected[picture.name].shape[:2]
        assert np.array_equal(picture.pixels(), expected[picture.name])
    assert verify(path) == 3


def test_any_safetensors_reader_reads_it(packed):
    path, expected = packed
    loaded = load_file(path)
    assert loaded.keys() == expected.keys()
    assert all(np.array_equal(loaded[name], expected[name]) for name in expected)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert metadata["format"] == "srgan_lightning.store"
    assert metadata["count"] == "3"
    assert len(metadata["sha256"]) == 64


def test_many_pictures_fit_the_room_kept_for_the_index(tmp_path, write_pictures):
    names = [f"{'n' * 60}{number}.png" for number in range(300)]
    write_pictures(tmp_path / "in", names, height=3, width=2)
    assert pack(tmp_path / "in", tmp_path / "s.safetensors").count == 300
    assert len(load_file(tmp_path / "s.safetensors")) == 300


def test_pixels_are_read_only_and_survive_pickling(packed):
    path, expected = packed
    picture = pickle.loads(pickle.dumps(Store(path).pictures()))[0]
    assert np.array_equal(picture.pixels(), expected[picture.name])
    assert len(pickle.dumps(picture)) < 1000
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels()[0, 0] = 0


def test_progress_and_unreadable_files(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png", "c.png"])
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    seen = []
    result = pack(
        tmp_path / "in", tmp_path / "s.safetensors", progress=lambda *args: seen.append(args)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert result.count == 2
    assert len(result.rejected) == 1
    assert "b.png: cannot be read" in result.rejected[0]
    assert list(load_file(tmp_path / "s.safetensors")) == ["a.png", "c.png"]


def test_tiles_put_together_are_the_reduced_picture(tmp_path, write_pictures):
    pictures = write_pictures(tmp_path / "in", ["a/b.png"], height=101, width=203)
    path = tmp_path / "s.safetensors"
    assert pack(tmp_path / "in", path, reduce=1.5, tile=27).count == 2 * 5
    tiles = load_file(path)
    rows = [np.concatenate([tiles[f"a/b_{row}_{c}.png"] for c in range(5)], 1) for row in range(2)]
    smaller = Image.fromarray(pictures["a/b.png"]).resize((135, 67), Image.Resampling.LANCZOS)
    assert np.array_equal(np.concatenate(rows), np.asarray(smaller))
    assert {t.shape[0] for t in tiles.values()} == {33, 34}
    assert {t.shape[1] for t in tiles.values()} == {27}


def test_many_tiles_fit_the_room_kept_for_the_index(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["ä.png"])
    path = tmp_path / "s.safetensors"
    assert pack(tmp_path / "in", path, tile=1).count == 40 * 56
    assert verify(path) == 40 * 56


def test_tiles_never_take_a_pictures_name(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png"])
    write_pictures(tmp_path / "in", ["a_0_0.png"], height=20, width=20)
    with pytest.raises(UserError, match=r"another picture are a_0_0\.png"):
        pack(tmp_path / "in", tmp_path / "s.safetensors", tile=30)
    assert not (tmp_path / "s.safetensors").exists()


def test_a_tile_as_large_as_the_picture_keeps_its_name(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png"])
    pack(tmp_path / "in", tmp_path / "s.safetensors", tile=64)
    assert list(load_file(tmp_path / "s.safetensors")) == ["a.png"]


def test_interrupted_packing_leaves_nothing(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png", "b.png"])

    def interrupt(done, total):
        raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path / "in", tmp_path / "out" / "s.safetensors", progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_killed_packing_leaves_no_store(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png", "b.png"])
    program = (
        "import sys, time\n"
        "from srgan_lightning.data.store import pack\n"
        "def hang(done, total):\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
        "pack(sys.argv[1], sys.argv[2], progress=hang)\n"
    )
    target = tmp_path / "s.safetensors"
    command = [sys.executable, "-c", program, str(tmp_path / "in"), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    assert pack(tmp_path / "in", target).count == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "s.safetensors"]


@pytest.mark.parametrize("cut", [1, 1000, -1])
def test_cut_or_longer_files_are_refused(packed, cut):
    path, _ = packed
    data = path.read_bytes()
    path.write_bytes(data[:-cut] if cut > 0 else data + b"x")
    with pytest.raises(UserError, match=r"out\.safetensors: its size or index"):
        Store(path)


def test_changed_pixels_are_found(packed):
    path, _ = packed
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    Store(path)
    with pytest.raises(UserError, match="checksum is wrong"):
        verify(path)


def test_changed_index_is_found(packed):
    path, _ = packed
    path.write_bytes(path.read_bytes().replace(b'"b.png"', b'"x.png"'))
    with pytest.raises(UserError, match="checksum is wrong"):
        verify(path)


def rewrite_header(path, change):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode().ljust(length)
    path.write_bytes(data[:8] + text + data[8 + length :])


def test_foreign_files_and_other_versions_are_refused(packed, tmp_path):
    path, _ = packed
    rewrite_header(path, lambda header: header["__metadata__"].update(format_version="9"))
    with pytest.raises(UserError, match=r"version 9.*reads version 1"):
        Store(path)
    rewrite_header(path, lambda header: header.pop("__metadata__"))
    with pytest.raises(UserError, match="no picture store"):
        Store(path)
    for content in (b"", b"\xff" * 100, (5).to_bytes(8, "little") + b"[1,2]"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no picture store"):
            Store(path)
    with pytest.raises(UserError, match="No such file"):
        Store(tmp_path / "none.safetensors")


def test_wrong_arguments_of_pack(tmp_path, write_pictures):
    write_pictures(tmp_path / "in", ["a.png"])
    with pytest.raises(UserError, match=r"ends in \.safetensors"):
        pack(tmp_path / "in", tmp_path / "s.bin")
    for factor in (0.5, float("nan"), float("inf")):
        with pytest.raises(UserError, match="divides the sides by 1 or more"):
            pack(tmp_path / "in", tmp_path / "s.safetensors", reduce=factor)
    with pytest.raises(UserError, match="1 pixel or more"):
        pack(tmp_path / "in", tmp_path / "s.safetensors", tile=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no pictures there"):
        pack(tmp_path / "empty", tmp_path / "s.safetensors")
    (tmp_path / "in" / "a.png").write_bytes(b"broken")
    with pytest.raises(UserError, match="none of its 1 pictures can be read"):
        pack(tmp_path / "in", tmp_path / "s.safetensors")
    assert not (tmp_path / "s.safetensors").exists()


def test_full_disk_is_said_before_packing(tmp_path, write_pictures, monkeypatch):
    write_pictures(tmp_path / "in", ["a.png"])
    full = SimpleNamespace(free=10)
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda path: full)
    with pytest.raises(UserError, match="GB are free there"):
        pack(tmp_path / "in", tmp_path / "s.safetensors")


def test_a_crop_costs_no_decode(tmp_path, write_pictures):
    """A crop of a large picture is much faster than its decoding (0.2 ms is the promise)."""
    write_pictures(tmp_path / "in", ["a.png"], height=1000, width=1000)
    pack(tmp_path / "in", tmp_path / "s.safetensors")
    picture = Store(tmp_path / "s.safetensors").pictures()[0]
    start = time.perf_counter()
    for _ in range(100):
        np.array(picture.pixels()[400:496, 400:496])
    assert (time.perf_counter() - start) / 100 < 2e-3

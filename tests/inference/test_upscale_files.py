from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan_lightning.errors import UserError
from srgan_lightning.inference.files import Task, plan


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(path)


def test_a_file_goes_into_a_folder_or_to_a_named_file(tmp_path):
    source = tmp_path / "a.jpg"
    put(source)
    assert plan([source], tmp_path / "out") == [Task(source, tmp_path / "out/a.png")]
    assert plan([source], tmp_path / "b.png") == [Task(source, tmp_path / "b.png")]
    assert plan([source], tmp_path / "b.webp") == [Task(source, tmp_path / "b.webp")]
    assert plan([source], tmp_path, suffix="_x4") == [Task(source, tmp_path / "a_x4.png")]


def test_a_folder_keeps_its_subfolders(tmp_path):
    put(tmp_path / "in/a.png", tmp_path / "in/deep/b.bmp")
    (tmp_path / "in/notes.txt").write_text("no picture")
    targets = [task.target for task in plan([tmp_path / "in"], tmp_path / "out")]
    assert targets == [tmp_path / "out/a.png", tmp_path / "out/deep/b.png"]


def test_a_folder_whose_name_has_a_dot_is_a_folder(tmp_path):
    put(tmp_path / "a.png")
    (tmp_path / "run.1").mkdir()
    for folder in (tmp_path / "run.1", tmp_path / "run.2"):
        assert plan([tmp_path / "a.png"], folder)[0].target == folder / "a.png"


def test_outputs_of_before_are_no_input(tmp_path):
    put(tmp_path / "a.png", tmp_path / "out/old.png")
    tasks = plan([tmp_path], tmp_path / "out")
    assert [task.source.name for task in tasks] == ["a.png"]


def test_outputs_beside_the_inputs(tmp_path):
    put(tmp_path / "a.png", tmp_path / "b.png")
    targets = [task.target.name for task in plan([tmp_path], tmp_path, suffix="_x4")]
    assert targets == ["a_x4.png", "b_x4.png"]


def test_an_input_is_never_replaced(tmp_path):
    put(tmp_path / "a.png")
    with pytest.raises(UserError, match="is an input itself"):
        plan([tmp_path], tmp_path, present="overwrite")


def test_older_outputs_are_replaced_only_when_told(tmp_path):
    put(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "out/b.png")
    inputs = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    with pytest.raises(UserError, match=r"b.png: is there already \(in all 1 of 2 outputs\)"):
        plan(inputs, tmp_path / "out")
    assert len(plan(inputs, tmp_path / "out", present="overwrite")) == 2


def test_two_pictures_never_become_one(tmp_path):
    put(tmp_path / "in/a.jpg", tmp_path / "in/a.png")
    with pytest.raises(UserError, match="would both become"):
        plan([tmp_path / "in"], tmp_path / "out")


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["absent.png"], "out", "absent.png: no such file or folder"),
        (["absent.png"], "out.png", "absent.png: no such file or folder"),
        (["empty"], "out", "empty: holds nothing to enlarge"),
        (["a.jpg", "b.jpg"], "out.png", "is one file for several pictures"),
        (["full"], "out.png", "is one file for several pictures"),
        (["a.jpg"], "file", "is a file without a picture's suffix"),
    ],
)
def test_impossible_requests_are_refused_in_one_line(tmp_path, inputs, output, message):
    put(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "full/c.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=message) as caught:
        plan([tmp_path / name for name in inputs], tmp_path / output)
    assert "\n" not in str(caught.value)


def test_tiff_stays_tiff_for_what_png_cannot_hold(tmp_path):
    put(tmp_path / "in/a.tiff", tmp_path / "in/b.TIF", tmp_path / "in/c.webp")
    targets = [task.target.name for task in plan([tmp_path / "in"], tmp_path / "out")]
    assert targets == ["a.tif", "b.tif", "c.png"]


def test_what_moves_stays_what_it_is(tmp_path):
    put(tmp_path / "in/a.png")
    cels = [Image.new("RGB", (3, 3), colour) for colour in ("red", "blue")]
    for name in ("b.gif", "c.webp", "d.png"):
        cels[0].save(tmp_path / "in" / name, save_all=True, append_images=cels[1:])
    (tmp_path / "in/e.mkv").write_bytes(b"not looked into")
    kinds = {t.target.name: t.kind for t in plan([tmp_path / "in"], tmp_path / "out")}
    animations = dict.fromkeys(("b.gif", "c.webp", "d.png"), "animation")
    assert kinds == {"a.png": "picture", **animations, "e.mkv": "video"}
    (frames,) = plan([tmp_path / "in/e.mkv"], tmp_path / "out", frames=True)
    assert (frames.target, frames.kind) == (tmp_path / "out/e", "frames of a video")
    (film,) = plan([tmp_path / "in"], tmp_path / "film.mp4")
    assert film.kind == "video of frames"
    for source, target in (("a.png", "film.mp4"), ("e.mkv", "e.png")):
        with pytest.raises(UserError, match="a video becomes a video, a picture a picture"):
            plan([tmp_path / "in" / source], tmp_path / target)

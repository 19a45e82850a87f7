import math

import pytest

from srgan_lightning.errors import UserError
from srgan_lightning.report.groups import group
from srgan_lightning.report.read import read_folders

PSNR = {"psnr": 30.0, "seconds": 1.0}


def test_a_run_gives_its_curves_and_the_stages_it_reached(run):
    (folder,) = read_folders([run()])
    assert folder.evaluation is None
    assert folder.run.curves["val/psnr"] == [(10, 20.0), (20, 22.0), (30, 21.0)]
    assert folder.run.curves["loss/adversarial"] == [(30, 0.7)]
    assert folder.run.stages == [("pixel", 0), ("adversarial", 20)]
    assert (folder.run.generator, folder.run.steps) == ("srresnet", 30)


def test_values_that_are_not_finite_are_left_out(run):
    folder = run()
    with (folder / "metrics.csv").open("a") as file:
        file.write("40,nan,inf,\n50,0.1,,\n")
    curves = read_folders([folder])[0].run.curves
    assert curves["val/psnr"][-1] == (30, 21.0)
    assert curves["loss/pixel"][-2:] == [(30, 0.125), (50, 0.1)]


def test_a_run_without_a_config_has_no_stages(run):
    folder = run()
    (folder / "config.yaml").unlink()
    assert read_folders([folder])[0].run.stages == []


def test_an_evaluation_keeps_further_figures_and_drops_missing_ones(evaluation):
    folder = evaluation({"a": {"psnr": "inf", "novel": 3, "lpips": None}}, deviation={"psnr": 0.1})
    (method,) = read_folders([folder])[0].evaluation.methods
    assert method.means == {"psnr": math.inf, "novel": 3.0}
    assert method.deviations == {"psnr": 0.1}
    assert method.files == {}


def test_saved_pictures_are_found_under_names_with_and_without_suffix(evaluation, save_pictures):
    folder = evaluation({"bicubic": PSNR}, pictures=("saturn.jpg",))
    save_pictures(folder, ("bicubic",))
    read = read_folders([folder])[0].evaluation
    assert read.methods[0].files == {"saturn": folder / "pictures/bicubic/saturn.png"}
    assert read.hr == {"saturn": folder / "pictures/HR/saturn.png"}
    assert read.lr == {"saturn": folder / "pictures/LR/saturn.png"}


def test_folders_of_one_name_are_told_apart_by_their_parents(run, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    folders = [run("x/one"), run("y/one")]
    assert [folder.label for folder in read_folders(folders)] == ["x/one", "y/one"]


def test_protocols_and_sets_of_pictures_never_mix(evaluation):
    folders = [
        evaluation({"a": PSNR}, name="1"),
        evaluation({"b": PSNR}, name="2"),
        evaluation({"a": PSNR}, name="3", stamp="RGB"),
        evaluation({"a": PSNR}, name="4", pictures=("saturn", "two-dogs")),
    ]
    groups = group(read_folders(folders))
    assert [[method.name for method in one.methods] for one in groups] == [["a", "b"], ["a"], ["a"]]
    assert groups[1].stamp == "RGB"
    assert groups[2].pictures == ("saturn", "two-dogs")


def test_equal_methods_of_two_folders_are_kept_once_and_others_told_apart(evaluation):
    folders = [
        evaluation({"bicubic": PSNR, "net": PSNR}, name="1"),
        evaluation(
            {"bicubic": {"psnr": 30 + 1e-13, "seconds": 2.0, "ssim": 0.8}, "net": {"psnr": 31.0}},
            name="2",
        ),
    ]
    (one,) = group(read_folders(folders))
    assert one.methods[0].means["ssim"] == 0.8
    assert [method.name for method in one.methods] == ["bicubic", "net (1)", "net (2)"]


def test_different_hr_pictures_of_one_name_are_refused(evaluation, save_pictures):
    folders = [evaluation({"bicubic": PSNR}, name=name) for name in "12"]
    for folder in folders:
        save_pictures(folder, ("bicubic",))
    assert len(group(read_folders(folders))) == 1
    hr = folders[1] / "pictures/HR/saturn.png"
    hr.write_bytes((folders[1] / "pictures/bicubic/saturn.png").read_bytes())
    with pytest.raises(UserError, match="different pictures of one name"):
        group(read_folders(folders))


def bad_number(folder):
    (folder / "metrics.csv").write_text("step,loss\n1,0.5\n2,half\n")
    return "metrics.csv, line 3: is broken"


def short_row(folder):
    (folder / "metrics.csv").write_text("step,loss,val/psnr\n1,0.5\n")
    return "metrics.csv, line 2: is broken: it has more or fewer values"


def no_step(folder):
    (folder / "metrics.csv").write_text("epoch,loss\n1,0.5\n")
    return "no column named step"


def bad_config(folder):
    (folder / "config.yaml").write_text("config: {schedule: {stages: {a: {steps: many}}}}")
    return "config.yaml: is no config of a run: config.schedule.stages.a.steps"


def no_yaml(folder):
    (folder / "config.yaml").write_text("a: [")
    return "config.yaml: is no config of a run"


def no_json(folder):
    (folder / "figures.json").write_text('{"protocol": ')
    return "figures.json: is no table of figures: Invalid JSON"


def no_figures(folder):
    (folder / "figures.json").write_text('{"protocol": {"stamp": "x"}, "methods": {"a": {}}}')
    return "methods.a.mean: Field required"


def binary(folder):
    (folder / "figures.json").write_bytes(b"\xff\xfe\x00")
    return "figures.json: is no text in UTF-8"


def empty(folder):
    (folder / "metrics.csv").unlink()
    return "holds neither metrics.csv"


def gone(folder):
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return "is no folder"


BREAKS = [bad_number, short_row, no_step, bad_config, no_yaml, no_json, no_figures, binary]


@pytest.mark.parametrize("damage", [*BREAKS, empty, gone], ids=lambda damage: damage.__name__)
def test_a_broken_folder_is_told_in_one_line(run, damage):
    folder = run()
    message = damage(folder)
    with pytest.raises(UserError) as error:
        read_folders([folder])
    assert message in str(error.value)
    assert str(error.value).startswith(str(folder))
    assert "\n" not in str(error.value)


def test_a_missing_picture_and_a_folder_named_twice_are_told(evaluation, save_pictures):
    folder = evaluation({"bicubic": PSNR})
    save_pictures(folder, ("bicubic",))
    (folder / "pictures/bicubic/saturn.png").unlink()
    with pytest.raises(UserError, match=r"bicubic/saturn\.png: is missing"):
        read_folders([folder])
    with pytest.raises(UserError, match="is named twice"):
        read_folders([folder, folder / "."])

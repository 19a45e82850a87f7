import json
import re

import pytest
from rich.console import Console

from srgan_lightning.errors import UserError
from srgan_lightning.report import write_report

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def page(tmp_path):
    def make(*folders, pictures=8, title="A report"):
        output = tmp_path / "out" / "report.html"
        write_report(folders, output, title=title, pictures=pictures, console=Console(quiet=True))
        assert [file.name for file in output.parent.iterdir()] == ["report.html"]
        return output.read_text(encoding="utf-8")

    return make


def cells(html):
    rows = re.findall(r"<tr>(<th scope=\"row\" data-value.*?)</tr>", html)
    return [
        [re.sub("<(?!/?strong)[^>]*>", "", c) for c in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def test_means_stand_in_a_table_the_best_in_bold(page, evaluation):
    folder = evaluation(
        {
            "a": {"psnr": 30.0, "lpips": 0.3, "sharpness": 0.8, "novel": 1.0},
            "b": {"psnr": 31.0, "lpips": 0.1, "sharpness": 1.9, "novel": 2.0},
            "c": {"psnr": 29.0},
        },
        deviation={"psnr": 0.061},
    )
    assert cells(page(folder)) == [
        ["a", "30.00 ± 0.06", "0.3000", "<strong>0.800</strong>", "1.0000"],
        ["b", "<strong>31.00 ± 0.06</strong>", "<strong>0.1000</strong>", "1.900", "2.0000"],
        ["c", "29.00 ± 0.06", "–", "–", "–"],
    ]


def test_notes_stand_under_the_table(page, evaluation):
    folder = evaluation({"a": {"psnr": 30.0}})
    figures = json.loads((folder / "figures.json").read_text())
    figures["notes"] = ["LPIPS is left out: <no weights>"]
    (folder / "figures.json").write_text(json.dumps(figures))
    assert "LPIPS is left out: &lt;no weights&gt;" in page(folder)


def test_each_protocol_has_its_own_table(page, evaluation):
    html = page(
        evaluation({"a": {"psnr": 30.0}}, name="1"),
        evaluation({"a": {"psnr": 28.0}}, name="2", stamp="RGB & <more>"),
    )
    assert html.count('<table class="methods"') == 2
    assert "<h3>RGB &amp; &lt;more&gt;</h3>" in html


def test_names_are_data_and_never_markup(page, evaluation, save_pictures, run, tmp_path):
    (tmp_path / "<img src=x onerror=alert(2)>").mkdir()
    folder = evaluation({EVIL: {"psnr": 30.0, "sharpness": 1.0}, "b": {"psnr": 1, "sharpness": 0}})
    save_pictures(folder, (EVIL, "b"))
    html = page(folder, run("<img src=x onerror=alert(2)>/'\"&"), title="</title><script>")
    assert html.count("<script") == 2  # the page's own: its data and its program
    assert "<img src=x" not in html
    assert html.count("<title>&lt;/title&gt;&lt;script&gt;</title>") == 1


def test_each_distinct_picture_is_embedded_once(page, evaluation, save_pictures):
    folders = []
    for stamp in ("Y", "RGB"):
        folders.append(evaluation({"bicubic": {"psnr": 30.0}}, name=stamp, stamp=stamp))
        save_pictures(folders[-1], ("bicubic",))
    html = page(*folders)
    assert html.count('class="viewer"') == 2
    assert html.count("data:image/png;base64,") == 3  # LR, bicubic, HR


def test_pictures_past_the_limit_are_counted(page, evaluation, save_pictures):
    names = ("saturn", "two-dogs", "casa-mila")
    folder = evaluation({"bicubic": {"psnr": 30.0}}, pictures=names)
    save_pictures(folder, ("bicubic",), names)
    html = page(folder, pictures=1)
    assert html.count('class="viewer"') == 1
    assert "2 of 3 pictures are left out; --pictures 3 shows all." in html
    assert "left out" not in page(folder, pictures=3)


def test_lpips_is_the_perceptual_axis_where_it_is_and_else_sharpness(page, evaluation):
    figures = {"psnr": 30.0, "sharpness": 0.5}
    html = page(evaluation({"a": figures, "b": {**figures, "psnr": 31.0}}, name="without"))
    assert "sharpness – nearest to 1 is best" in html
    figures["lpips"] = 0.2
    html = page(evaluation({"a": figures, "b": {**figures, "psnr": 31.0}}, name="with"))
    assert "LPIPS – lower is better over PSNR" in html


def test_a_run_alone_gives_curves_and_no_empty_sections(page, run):
    html = page(run())
    headings = re.findall("<h2>(.*?)</h2>", html)
    assert headings == ["Put in", "Learning curves"]
    assert html.count('class="chart"') == 3
    assert "a run of srresnet, 30 generator steps" in html


def test_a_broken_picture_leaves_the_old_report(page, evaluation, save_pictures, tmp_path):
    folder = evaluation({"bicubic": {"psnr": 30.0}})
    save_pictures(folder, ("bicubic",))
    before = page(folder)
    (folder / "pictures/bicubic/saturn.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"saturn\.png"):
        page(folder)
    assert (tmp_path / "out/report.html").read_text(encoding="utf-8") == before

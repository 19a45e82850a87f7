import csv
import json
import math

import pytest
from rich.console import Console

from srgan_lightning.evaluation import Protocol, Row, Table, compare, render, save

PROTOCOL = Protocol(degradation="bicubic")


def table() -> Table:
    return Table(
        PROTOCOL,
        [
            Row("bicubic", "a|b", {"psnr": 20.123456, "ssim": 0.5}),
            Row("bicubic", "c", {"psnr": 30.0, "ssim": 0.7}),
            Row("ours", "a|b", {"psnr": math.inf, "ssim": 1.0}),
            Row("ours", "c", {"psnr": 31.0, "ssim": 0.9}),
        ],
    )


def test_means_are_per_method():
    assert table().methods == ["bicubic", "ours"]
    assert table().mean("bicubic") == {"psnr": pytest.approx(25.061728), "ssim": 0.6}
    assert table().mean("ours")["psnr"] == math.inf
    assert [row.picture for row in table().means()] == ["mean", "mean"]


def test_tables_of_one_protocol_add_up_and_of_two_do_not():
    bicubic, ours = (Table(PROTOCOL, table().of(method)) for method in ("bicubic", "ours"))
    assert bicubic + ours == table()
    with pytest.raises(ValueError, match="figures of two protocols"):
        bicubic + Table(Protocol(degradation="bicubic", crop=0), ours.rows)


def test_csv_has_every_figure_in_full_and_the_stamp(tmp_path):
    path, _, _ = save(table(), tmp_path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["picture"]) for row in rows] == [
        ("bicubic", "a|b"),
        ("bicubic", "c"),
        ("ours", "a|b"),
        ("ours", "c"),
        ("bicubic", "mean"),
        ("ours", "mean"),
    ]
    assert float(rows[0]["psnr"]) == 20.123456
    assert float(rows[2]["psnr"]) == math.inf
    assert {row["protocol"] for row in rows} == {PROTOCOL.stamp()}


def test_json_is_strict_and_complete(tmp_path):
    _, path, _ = save(table(), tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert document["protocol"]["stamp"] == PROTOCOL.stamp()
    assert document["protocol"]["crop"] == 4
    assert document["methods"]["bicubic"]["pictures"]["a|b"] == {"psnr": 20.123456, "ssim": 0.5}
    assert float(document["methods"]["ours"]["mean"]["psnr"]) == math.inf


def test_markdown_is_a_table_with_its_stamp(tmp_path):
    _, _, path = save(table(), tmp_path, name="set5")
    assert path.name == "set5.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "| method | picture | PSNR [dB] | SSIM |"
    assert lines[2] == "| bicubic | a/b | 20.12 | 0.5000 |"
    assert lines[4] == "| **bicubic** | **mean** | **25.06** | **0.6000** |"
    assert lines[-1] == PROTOCOL.stamp()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_saving_again_replaces_and_leaves_nothing_else(tmp_path):
    save(table(), tmp_path / "new" / "folder")
    save(table(), tmp_path / "new" / "folder")
    names = sorted(path.name for path in (tmp_path / "new/folder").iterdir())
    assert names == ["figures.csv", "figures.json", "figures.md"]


def shown(**options: bool) -> str:
    console = Console(width=120, record=True, quiet=False)
    with console.capture() as capture:
        console.print(render(table(), title="Set5", **options))
    return capture.get()


def test_the_terminal_shows_pictures_means_and_the_stamp():
    text = shown()
    assert "Set5" in text
    assert "a|b" in text
    assert "mean" in text
    assert PROTOCOL.stamp() in text


def test_the_terminal_shows_means_alone_when_asked():
    text = shown(pictures=False)
    assert "a|b" not in text
    assert "25.06" in text
    assert text.count("bicubic") == 2  # the method, and the stamp


def seeds() -> Table:
    rows = [Row("bicubic", name, {"psnr": 20.0, "lpips": 0.5}) for name in "ab"]
    for run, shift in (("seed0", 0.0), ("seed1", 1.0), ("seed2", 2.0)):
        rows += [
            Row("ours", name, {"psnr": psnr + shift, "parameters": 1.5e6}, run=run)
            for name, psnr in (("a", 24.0), ("b", 26.0))
        ]
    return Table(PROTOCOL, rows, ("DISTS is left out",))


def test_runs_of_one_recipe_give_mean_and_deviation():
    table = seeds()
    assert table.runs("ours") == ["seed0", "seed1", "seed2"]
    assert table.mean("ours")["psnr"] == pytest.approx(26.0)
    assert table.mean("ours", run="seed0")["psnr"] == pytest.approx(25.0)
    assert table.deviation("ours")["psnr"] == pytest.approx(1.0)  # of 25, 26, 27
    assert table.deviation("bicubic") == {}
    assert [row.figures["psnr"] for row in table.pictures("ours")] == [25.0, 27.0]


def test_runs_come_into_every_file(tmp_path):
    differences = compare(seeds())
    csv_path, json_path, markdown = save(seeds(), tmp_path, differences=differences)
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["run"] for row in rows if row["method"] == "ours"} == {
        *("seed0", "seed1", "seed2"),
        "",
    }
    assert {row["lpips"] for row in rows if row["method"] == "ours"} == {""}
    document = json.loads(json_path.read_text(encoding="utf-8"))
    ours = document["methods"]["ours"]
    assert ours["deviation"]["psnr"] == pytest.approx(1.0)
    assert ours["runs"]["seed2"]["psnr"] == pytest.approx(27.0)
    assert ours["pictures"]["a"]["psnr"] == pytest.approx(25.0)
    assert document["notes"] == ["DISTS is left out"]
    (difference,) = document["differences"]
    assert (difference["method"], difference["mean"]) == ("ours", pytest.approx(6.0))
    text = markdown.read_text(encoding="utf-8")
    assert "| **ours** | **mean** | **26.00 ± 1.00** |" in text
    assert "1.5 M" in text
    assert "± 0 M" not in text
    assert "DISTS is left out" in text
    assert "| ours | PSNR [dB] | +6.000 | [+5.000, +7.000] |" in text


def test_the_terminal_shows_runs_differences_and_notes():
    console = Console(width=120)
    with console.capture() as capture:
        console.print(render(seeds(), title="Set5", differences=compare(seeds())))
    text = capture.get()
    for words in ("26.00 ± 1.00", "PSNR [dB]", "+6.000", "DISTS is left out", "95 % interval"):
        assert words in text

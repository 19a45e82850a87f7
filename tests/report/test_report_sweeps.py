"""The report of a sweep: made of its folder, and looked at in a real Chromium."""

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console
from selenium.webdriver.common.by import By

from srgan_lightning.errors import UserError
from srgan_lightning.report import write_report
from srgan_lightning.tracking.state import Job, Sweep, begin, read_sweep, write_state, write_sweep

NAN = float("nan")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def sweep(tmp_path: Path, run) -> Path:
    """A grid of 2 networks and 3 rates: five jobs finished, the last one diverged; one waits."""
    folder = tmp_path / "grid"
    folder.mkdir()
    jobs = []
    for number, (net, lr) in enumerate(itertools.product(("srresnet", EVIL), (1e-4, 1e-3, 1e-2))):
        run(f"grid/{number}")
        psnr = 20 + number if number < 5 else NAN
        state = replace(begin(steps=40), step=40, figures={"val/psnr": psnr, "val/ssim": 0.5})
        state = replace(state, state="failed" if number == 5 else "finished")
        write_state(folder / str(number), replace(state, reason="diverged" * (number == 5)))
        colour = (40 * number, 90, 120)
        Image.new("RGB", (60, 40), colour).save(folder / f"{number}/comparison.png")
        overrides = (f"generator={net}", f"stages.pixel.lr={lr}", "seed=3")
        jobs.append(Job(number=number, folder=str(number), overrides=overrides))
    Image.new("RGB", (90, 40)).save(folder / "0/comparison.png")
    waiting = ("generator=srresnet", "stages.pixel.lr=0.1", "seed=3")
    jobs.append(Job(number=6, folder="6", overrides=waiting))
    write_sweep(folder, Sweep(created="", sweeper="basic", launcher="basic", jobs=tuple(jobs)))
    return folder


def written(output: Path, *folders: Path) -> str:
    write_report(folders, output, title="Sweep", pictures=8, console=Console(quiet=True))
    return output.read_text(encoding="utf-8")


def ranking(page: str) -> list[list[str]]:
    (table,) = re.findall(r'<table class="methods ranking">.*?</table>', page, re.DOTALL)
    rows = re.findall(r"<tr>(<td.*?)</tr>", table)
    return [[re.sub(r"<[^>]*>", "", c) for c in re.findall(r"<td.*?</td>", row)] for row in rows]


def test_jobs_are_ranked_and_a_diverged_one_is_last(sweep: Path, tmp_path: Path):
    rows = ranking(written(tmp_path / "r.html", sweep))
    assert [row[1] for row in rows] == ["4", "3", "2", "1", "0", "6", "5"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "–", "–"]
    assert rows[0][2:6] == ["&lt;script&gt;alert(1)&lt;/script&gt;", "0.001", "24.00", "0.5000"]
    assert rows[-1][4:] == ["diverged", "0.5000", "failed", "40/40 100 %", "diverged"]
    assert rows[-2][6] == "waiting"


def test_importance_is_of_the_finished_jobs(sweep: Path, tmp_path: Path):
    page = written(tmp_path / "r.html", sweep)
    (table,) = re.findall(r'<table class="importance">.*?</table>', page, re.DOTALL)
    found = re.findall(r'<th scope="row">(\w+)</th>.*?"number">(\d+) %.*?>(\d+) %', table)
    # PSNR 20, 21, 22 | 23, 24: means 21 and 23.5 of the networks, 21.5, 22.5, 22 of the rates
    assert found == [("generator", "75", "25"), ("lr", "10", "50")]


def test_a_sweep_that_has_just_begun_has_a_ranking_only(tmp_path: Path):
    jobs = tuple(Job(number=n, folder=str(n), overrides=(f"seed={n}",)) for n in range(2))
    write_sweep(tmp_path, Sweep(created="", sweeper="basic", launcher="basic", jobs=jobs))
    page = written(tmp_path / "r.html", tmp_path)
    assert [row[3] for row in ranking(page)] == ["waiting", "waiting"]
    assert "no figures yet" in page
    assert "Parallel coordinates" not in page
    assert "beside each other" not in page


def test_a_sweep_stands_beside_a_run(sweep: Path, run, tmp_path: Path):
    page = written(tmp_path / "r.html", sweep, run("alone"))
    assert "a sweep of 7 jobs: 5 finished, 1 waiting, 1 failed" in page
    assert page.count('class="series ') > 6
    assert "grid: generator=srresnet,lr=0.01" in page


def test_jobs_under_way_are_dashed(sweep: Path, tmp_path: Path):
    assert "unfinished" not in written(tmp_path / "r.html", sweep).partition("<main")[2]
    write_state(sweep / "2", replace(begin(steps=40), step=9, figures={"val/psnr": 30.0}))
    page = written(tmp_path / "r.html", sweep)
    names = re.findall(r'<g class="job([^"]*)".*?<title>job (\d)', page)
    assert sorted((number, kind) for kind, number in names) == [
        ("0", ""),
        ("1", ""),
        ("2", " unfinished"),
        ("3", ""),
        ("4", " best"),
    ]
    assert "Dashed: not finished." in page


@pytest.mark.parametrize("odd", ["inf", "nan", "null", "[1,2]"])
def test_a_swept_value_may_be_no_finite_number(odd: str, sweep: Path, tmp_path: Path):
    made = read_sweep(sweep)
    jobs = (
        replace(job, overrides=(f"optim.clip_norm={odd if job.number % 2 else 1.5}",))
        for job in made.jobs
    )
    write_sweep(sweep, replace(made, jobs=tuple(jobs)))
    page = written(tmp_path / "r.html", sweep)
    assert f">{odd}</text>" in page  # a place among names on its axis


def test_a_broken_sheet_ends_in_one_line(sweep: Path, tmp_path: Path):
    (sweep / "4/comparison.png").write_text("no picture")
    with pytest.raises(UserError, match=r"4/comparison\.png"):
        written(tmp_path / "r.html", sweep)


def test_a_browser_shows_lines_sheets_and_sorts(browser, sweep: Path, tmp_path: Path):
    output = tmp_path / "r.html"
    written(output, sweep)
    browser.get_log("performance")
    browser.get(output.as_uri())
    best = browser.find_elements(By.CSS_SELECTOR, ".job.best")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".job")) == 5
    assert len(best) == 1
    assert (
        best[0].find_element(By.CSS_SELECTOR, "title").get_attribute("textContent").endswith(": 24")
    )
    colours = {
        line.value_of_css_property("stroke")
        for line in browser.find_elements(By.CSS_SELECTOR, ".job .line")
    }
    assert len(colours) == 5
    options = browser.find_elements(By.CSS_SELECTOR, '.viewer select[data-side="left"] option')
    assert options[0].text == f"generator={EVIL},lr=0.001,seed=3"
    assert len(options) == 5  # the sheet of job 0 has another size
    loaded = "return document.querySelector('.layer[data-side=left] img').naturalWidth"
    assert browser.execute_script(loaded) == 60

    heads = browser.find_elements(By.CSS_SELECTOR, ".ranking thead button")
    psnr = next(head for head in heads if head.text.startswith("PSNR"))
    rows = "[...document.querySelectorAll('.ranking tbody tr')]"
    order = f"return {rows}.map(row => row.cells[1].textContent)"
    psnr.click()
    assert browser.execute_script(order)[:5] == ["4", "3", "2", "1", "0"]
    psnr.click()
    assert browser.execute_script(order)[:5] == ["0", "1", "2", "3", "4"]
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [m["params"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    urls = {r["request"]["url"] for r in requests if r["documentURL"] == output.as_uri()}
    assert {url for url in urls if not url.startswith("data:")} == {output.as_uri()}

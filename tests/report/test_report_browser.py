"""The report in a real Chromium: what a reader does, and what the page may not do."""

import json
import re

import pytest
from rich.console import Console
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from srgan_lightning.report import write_report

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def opened(browser, evaluation, save_pictures, run, tmp_path):
    """The report of an evaluation with pictures and a run, opened from its file."""
    methods = {
        "nearest": {"psnr": 9.5, "sharpness": 0.1},
        "bicubic": {"psnr": 30.0, "sharpness": 0.4},
        EVIL: {"psnr": 28.0, "sharpness": 1.0},
        "perfect": {"psnr": "inf"},
    }
    folder = evaluation(methods)
    save_pictures(folder, tuple(methods))
    output = tmp_path / "report.html"
    write_report([folder, run()], output, title="R", pictures=8, console=Console(quiet=True))
    browser.get(output.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [m["params"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    urls = {r["request"]["url"] for r in requests if r["documentURL"] == output.as_uri()}
    assert {url for url in urls if not url.startswith("data:")} == {output.as_uri()}


def one(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def layers(browser):
    return [one(browser, f'.layer[data-side="{side}"]') for side in ("left", "right")]


def transforms(browser):
    return [
        layer.find_element(By.TAG_NAME, "img").value_of_css_property("transform")
        for layer in layers(browser)
    ]


def zoom_of(browser):
    both = transforms(browser)
    assert both[0] == both[1], "the two layers are not in step"
    return float(both[0].removeprefix("matrix(").split(",")[0])


def clipped(browser):
    """Return how many percent of the right layer, from its left, are hidden."""
    inset = layers(browser)[1].value_of_css_property("clip-path")
    return float(re.findall(r"([\d.]+)(?:px|%)\)", inset)[0])


def test_the_slider_moves_by_mouse_and_keyboard(opened):
    divider = one(opened, ".divider")
    assert clipped(opened) == 50
    width = one(opened, ".stage").size["width"]
    ActionChains(opened).drag_and_drop_by_offset(divider, round(width / 4), 0).perform()
    assert float(divider.get_attribute("aria-valuenow")) == pytest.approx(75, abs=1)
    assert clipped(opened) == pytest.approx(75, abs=1)
    divider.send_keys(Keys.HOME)
    assert clipped(opened) == 0
    divider.send_keys(Keys.ARROW_RIGHT)
    assert clipped(opened) == 2
    assert zoom_of(opened) == 1


def test_zoom_and_pan_move_both_layers_alike(opened):
    stage = one(opened, ".stage")
    ActionChains(opened).move_to_element_with_offset(stage, -90, -60).double_click().perform()
    deep = zoom_of(opened)
    assert deep == 4
    before = transforms(opened)
    ActionChains(opened).move_to_element_with_offset(
        stage, -90, -60
    ).click_and_hold().move_by_offset(-40, -30).release().perform()
    assert transforms(opened) != before
    assert zoom_of(opened) == deep
    before = transforms(opened)
    stage.send_keys(Keys.ARROW_RIGHT)
    assert transforms(opened) != before
    stage.send_keys("-")
    assert 1 < zoom_of(opened) < deep
    stage.send_keys("0")
    assert zoom_of(opened) == 1
    one(opened, '[data-zoom="in"]').click()
    assert zoom_of(opened) > 1


def test_the_wheel_zooms_about_the_pointer(opened):
    stage = one(opened, ".stage")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    WebDriverWait(opened, 5).until(
        lambda b: b.execute_async_script("setTimeout(() => arguments[0](true), 400)")
    )
    wheel = """
      const stage = arguments[0], box = stage.getBoundingClientRect();
      const at = {clientX: box.left + box.width / 4, clientY: box.top + box.height / 2};
      const event = new WheelEvent("wheel", {...at, deltaY: arguments[1], cancelable: true});
      stage.dispatchEvent(event);
      return event.defaultPrevented;"""
    assert not opened.execute_script(wheel, stage, 50), "at fit, the page scrolls"
    assert opened.execute_script(wheel, stage, -50)
    zoom, _, _, _, x, _ = map(float, transforms(opened)[0].removeprefix("matrix(")[:-1].split(","))
    quarter = stage.size["width"] / 4
    assert x + zoom * quarter == pytest.approx(quarter, abs=0.5)


def test_pictures_are_pixelated_when_magnified(opened):
    image = layers(opened)[0].find_element(By.TAG_NAME, "img")
    one(opened, '[data-zoom="in"]').click()
    WebDriverWait(opened, 5).until(
        lambda _: image.value_of_css_property("image-rendering") == "pixelated"
    )


def test_the_select_boxes_swap_pictures_and_figures(opened):
    images = [layer.find_element(By.TAG_NAME, "img") for layer in layers(opened)]
    before = [image.get_attribute("src") for image in images]
    select = Select(one(opened, 'select[data-side="right"]'))
    assert [option.text for option in select.options] == [
        "LR",
        "nearest",
        "bicubic",
        EVIL,
        "perfect",
        "HR",
    ]
    select.select_by_visible_text("HR")
    after = [image.get_attribute("src") for image in images]
    assert after[0] == before[0]
    assert after[1] not in before
    WebDriverWait(opened, 5).until(
        lambda b: b.execute_script("return arguments[0].naturalWidth", images[1]) == 96
    )
    assert one(opened, '.tag[data-side="right"]').text == "HR"
    shown = [
        r.text for r in opened.find_elements(By.CSS_SELECTOR, ".figures tbody tr:not([hidden])")
    ]
    assert [row.split()[0] for row in shown] == ["nearest", "HR"]


def test_tables_sort_by_number_with_what_is_missing_last(opened):
    def methods():
        return [c.text for c in opened.find_elements(By.CSS_SELECTOR, ".methods tbody th")]

    name, psnr, sharpness = opened.find_elements(By.CSS_SELECTOR, ".methods thead button")
    psnr.click()
    assert methods() == ["perfect", "bicubic", EVIL, "nearest"]
    psnr.send_keys(Keys.ENTER)
    assert methods() == ["nearest", EVIL, "bicubic", "perfect"]
    assert one(opened, '.methods th[aria-sort="ascending"]').text.startswith("PSNR")
    sharpness.click()
    assert methods() == ["nearest", "bicubic", EVIL, "perfect"]
    sharpness.click()
    assert methods() == [EVIL, "bicubic", "nearest", "perfect"]
    name.click()
    assert methods()[1:] == ["bicubic", "nearest", "perfect"]


def test_a_narrow_window_is_not_scrolled_sideways(opened):
    opened.set_window_size(500, 900)
    room = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    wide, seen = opened.execute_script(room)
    opened.set_window_size(1000, 900)
    assert wide <= seen

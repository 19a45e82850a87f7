import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.report.axes import Axis
from srgan_lightning.report.charts import curves, scatter, thinned
from srgan_lightning.report.labels import place_labels

POINTS = {
    "bicubic": (28.0, 0.4),
    "alpha_1.00": (29.0, 0.1),
    "alpha_0.00": (32.0, 0.2),
    "alpha_0.50": (31.0, 0.12),
    "<b>&": (30.0, 0.3),
}
finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


def scale_of(svg, kind, attribute):
    """Read a linear axis back from its first and last tick: a function from pixel to value."""
    ticks = [text for text in svg.iter("text") if text.get("class") == f"tick {kind}"]
    offset = 4 if kind == "y" else 0
    (p, a), (q, b) = (
        (float(tick.get(attribute)) - offset, float(tick.text.replace(",", "").replace("−", "-")))
        for tick in (ticks[0], ticks[-1])
    )
    return lambda pixel: a + (pixel - p) * (b - a) / (q - p)


def test_points_lie_where_the_axes_say():
    svg = ElementTree.fromstring(scatter(POINTS, x_title="PSNR", y_title="LPIPS"))
    x, y = scale_of(svg, "x", "x"), scale_of(svg, "y", "y")
    marks = {g.get("data-method"): g for g in svg.iter("g")}
    assert marks.keys() == POINTS.keys()
    for name, (a, b) in POINTS.items():
        circle = marks[name].find("circle")
        assert x(float(circle.get("cx"))) == pytest.approx(a, abs=0.01)
        assert y(float(circle.get("cy"))) == pytest.approx(b, abs=0.001)


def test_the_points_of_a_blend_are_joined_by_alpha():
    svg = ElementTree.fromstring(scatter(POINTS, x_title="PSNR", y_title="LPIPS"))
    (line,) = svg.iter("polyline")
    marks = {g.get("data-method"): g.find("circle") for g in svg.iter("g")}
    names = ["alpha_0.00", "alpha_0.50", "alpha_1.00"]
    assert line.get("points").split() == [
        f"{marks[name].get('cx')},{marks[name].get('cy')}" for name in names
    ]
    labels = {g.get("data-method"): g.find("text").text for g in svg.iter("g")}
    assert [labels[name] for name in names] == ["α 0", "α 0.5", "α 1"]
    assert labels["bicubic"] == "bicubic"


def test_names_are_escaped():
    drawn = scatter(POINTS, x_title="<i>", y_title="y")
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert "&lt;b&gt;&amp;" in drawn


def test_curves_lie_where_the_axes_say_and_borders_between_stages():
    series = {"one": (0, [(0, 20.0), (50, 30.0)]), "two": (9, [(100, 25.0)])}
    stages = [("pixel", 0), ("adversarial", 80)]
    svg = ElementTree.fromstring(curves(series, y_title="PSNR", stages=stages, total=100))
    x, y = scale_of(svg, "x", "x"), scale_of(svg, "y", "y")
    groups = {g.get("data-run"): g for g in svg.iter("g")}
    drawn = re.findall(r"([\d.]+),([\d.]+)", groups["one"].find("polyline").get("points"))
    assert [(x(float(a)), y(float(b))) for a, b in drawn] == [
        (pytest.approx(0, abs=0.1), pytest.approx(20, abs=0.05)),
        (pytest.approx(50, abs=0.1), pytest.approx(30, abs=0.05)),
    ]
    assert groups["two"].get("class") == "series s1"
    (border,) = [line for line in svg.iter("line") if line.get("class") == "border"]
    assert x(float(border.get("x1"))) == pytest.approx(80, abs=0.1)
    assert [t.text for t in svg.iter("text") if t.get("class") == "stage-name"] == ["adversarial"]


def test_a_figure_that_shrinks_a_hundredfold_is_drawn_logarithmically():
    series = {"one": (0, [(0, 1.0), (5, 0.1), (10, 0.01)])}
    svg = ElementTree.fromstring(curves(series, y_title="loss", total=10))
    (line,) = svg.iter("polyline")
    first, middle, last = (float(pair.split(",")[1]) for pair in line.get("points").split())
    assert middle - first == pytest.approx(last - middle, abs=0.02)


def test_long_curves_are_thinned_and_keep_their_mean():
    points = [(step, float(step % 7)) for step in range(7000)]
    short = thinned(points, limit=1000)
    assert len(short) == 1000
    assert {value for _, value in short} == {3.0}
    assert thinned(points[:5]) == points[:5]


@given(st.lists(finite, min_size=1, max_size=9))
def test_every_value_and_every_tick_lies_on_the_axis(values):
    axis = Axis.around(values, start=300, end=20, margin=0.05)
    assert all(20 <= axis(value) <= 300 for value in [*values, *axis.ticks()])
    assert 2 <= len(axis.ticks()) <= 8
    assert len({axis.label(tick) for tick in axis.ticks()}) == len(axis.ticks())


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=9))
def test_a_logarithmic_axis_shows_all_values_and_some_ticks(values):
    axis = Axis.around(values, start=300, end=20, margin=0.05, log=True)
    assert all(19.99 <= axis(value) <= 300.01 for value in [*values, *axis.ticks()])
    assert len(axis.ticks()) >= 2


def test_labels_of_near_points_do_not_overlap():
    points = {f"method {index}": (300.0 + 6 * index, 200.0) for index in range(4)}
    labels = place_labels({name: name for name in points}, points, inside=(0, 0, 700, 400))
    boxes = [(label.x, label.y - 11, label.x + 58, label.y + 4) for label in labels.values()]
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1]

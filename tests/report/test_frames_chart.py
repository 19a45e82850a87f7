from xml.etree import ElementTree

from rich.console import Console

from srgan_lightning.report.bursts import as_file, frames_chart
from srgan_lightning.report.page import make_page
from srgan_lightning.report.read import read_folders

MEANS = {
    "<bicubic>": {"psnr": 24.0, "frames": 1},
    "map of 1": {"psnr": 25.0, "frames": 1},
    "map of 16": {"psnr": 29.0, "frames": 16},
    "map of 4": {"psnr": 27.0, "frames": 4},
}
SVG = "{http://www.w3.org/2000/svg}"


def test_methods_are_curves_over_their_frames_and_single_ones_are_level():
    svg = ElementTree.fromstring(as_file(frames_chart(MEANS)))
    lines = {
        group.get("data-method"): [
            tuple(map(float, point.split(",")))
            for point in group.find(f"{SVG}polyline").get("points").split()
        ]
        for group in svg.iter(f"{SVG}g")
    }
    assert lines.keys() == {"<bicubic>", "map"}
    (left, level), (right, end) = lines["<bicubic>"]
    assert level == end
    xs, ys = zip(*lines["map"], strict=True)
    assert (xs[0], xs[-1]) == (left, right)
    assert abs((xs[1] - xs[0]) - (xs[2] - xs[1])) < 0.02  # 1, 4 and 16 are equally far apart
    assert level > ys[0] > ys[1] > ys[2]  # which is upwards


def test_one_number_of_frames_makes_no_curve():
    assert frames_chart({"map of 16": MEANS["map of 16"]}) == ""
    assert frames_chart({"bicubic": {"psnr": 24.0}}) == ""


def test_the_report_shows_the_curve(evaluation):
    page = make_page(
        read_folders([evaluation(MEANS)]), title="t", pictures=0, console=Console(quiet=True)
    )
    assert "What more frames bring" in page
    assert 'data-method="map"' in page

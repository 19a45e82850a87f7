from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from PIL import Image
from scipy.optimize import curve_fit

from srgan_lightning.errors import UserError
from srgan_lightning.evaluation.judgement import (
    find_metrics,
    measure_judged,
    plcc,
    read_scores,
    srcc,
)

SIDE = 176
LEVELS = (0, 5, 12, 30, 60)


def noisy(seed: int, level: float) -> np.ndarray:
    draws = np.random.default_rng(seed)
    coarse = Image.fromarray(draws.integers(40, 216, (11, 11, 3), np.uint8))
    reference = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(seed + 9).normal(0, 1, reference.shape)
    return np.clip(reference + level * noise, 0, 255).astype(np.uint8)


def put(path: Path, seed: int, level: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noisy(seed, level)).save(path)


def tid2013(folder: Path) -> Path:
    lines = []
    for reference in (1, 2):
        put(folder / f"reference_images/I0{reference}.BMP", reference)
        for number, level in enumerate(LEVELS[1:], 1):
            put(folder / f"distorted_images/i0{reference}_01_{number}.bmp", reference, level)
            lines.append(f"{6 - number + reference / 10:.5f} I0{reference}_01_{number}.bmp\n")
    (folder / "mos_with_names.txt").write_text("".join(lines))
    return folder


def pipal(folder: Path) -> Path:
    (folder / "Train_Label").mkdir(parents=True)
    for reference in (1, 2):
        put(folder / f"Train_Ref/A000{reference}.bmp", reference)
        lines = []
        for number, level in enumerate(LEVELS[1:]):
            name = f"A000{reference}_00_{number:02}.bmp"
            put(folder / f"Distortion_{reference}" / name, reference, level)
            lines.append(f"{name},{1500 - 10 * level + reference:.2f}\n")
        (folder / f"Train_Label/A000{reference}.txt").write_text("".join(lines))
    return folder


@pytest.mark.parametrize("layout", [tid2013, pipal])
def test_both_layouts_are_read_and_more_noise_is_found_worse(tmp_path, layout):
    judged = read_scores(layout(tmp_path))
    assert len(judged) == 8
    assert {one.reference.stem[-1] for one in judged} == {"1", "2"}
    for one in judged:
        assert one.distorted.stem.lower().startswith(one.reference.stem.lower())
    metrics, notes = find_metrics()
    assert list(metrics)[:3] == ["psnr", "ssim", "ms_ssim"]
    assert len(metrics) + len(notes) == 5
    figures = list(measure_judged(judged, {n: metrics[n] for n in ("psnr", "ssim", "ms_ssim")}))
    scores = [one.score for one in judged]
    for name in figures[0]:
        values = [one[name] for one in figures]
        assert srcc(values, scores) == pytest.approx(scipy.stats.spearmanr(values, scores)[0])
        assert srcc(values, scores) > 0.9


def test_ranks_share_ties():
    draws = np.random.default_rng(0)
    one, other = draws.integers(0, 5, 40).astype(float), draws.integers(0, 7, 40).astype(float)
    assert srcc(one, other) == pytest.approx(scipy.stats.spearmanr(one, other)[0], abs=1e-12)
    assert np.isnan(srcc([1.0, 1.0], [1.0, 2.0]))


@pytest.mark.parametrize("sign", [1, -1])
def test_plcc_is_that_of_scipy_s_logistic_fit(sign):
    draws = np.random.default_rng(1)
    x = draws.uniform(20, 45, 200)
    y = 1 + 5 / (1 + np.exp(-sign * (x - 31) / 2.5)) + draws.normal(0, 0.4, 200)

    def logistic(x, b1, b2, b3, b4):
        return b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / abs(b4)))

    start = [*[y.max(), y.min()][::sign], x.mean(), x.std()]
    fitted, _ = curve_fit(logistic, x, y, start, maxfev=20000)
    expected = scipy.stats.pearsonr(logistic(x, *fitted), y)[0]
    assert plcc(x, y) == pytest.approx(expected, abs=1e-5)
    assert plcc(x, y) > abs(scipy.stats.pearsonr(x, y)[0])


def test_what_is_no_such_folder_is_told(tmp_path):
    with pytest.raises(UserError, match=r"is neither TID2013 .* nor PIPAL"):
        read_scores(tmp_path)
    tid2013(tmp_path / "tid")
    (tmp_path / "tid/distorted_images/i01_01_2.bmp").unlink()
    with pytest.raises(UserError, match=r"mos_with_names.txt: I01_01_2.bmp is not below"):
        read_scores(tmp_path / "tid")
    (tmp_path / "tid/mos_with_names.txt").write_text("I01_01_1.bmp good\n")
    with pytest.raises(UserError, match=r"cannot read 'I01_01_1.bmp good'"):
        read_scores(tmp_path / "tid")
    pipal(tmp_path / "pipal")
    (tmp_path / "pipal/Train_Ref/A0001.bmp").unlink()
    with pytest.raises(UserError, match=r"the reference of A0001_00_00.bmp is not below"):
        read_scores(tmp_path / "pipal")


def test_a_picture_that_cannot_be_measured_is_named(tmp_path):
    judged = read_scores(tid2013(tmp_path))
    Image.new("RGB", (20, 20)).save(judged[1].distorted)
    metrics, _ = find_metrics()
    with pytest.raises(UserError, match=r"i01_01_2.bmp: SR and HR must have the same size"):
        list(measure_judged(judged, {"psnr": metrics["psnr"]}))

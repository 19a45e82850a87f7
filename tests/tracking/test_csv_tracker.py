"""metrics.csv: one row a step, columns as they turn up, resumable."""

from pathlib import Path

from srgan_lightning.tracking.csv import CSVTracker


def test_figures_of_one_step_share_a_row_and_new_ones_add_columns(tmp_path: Path):
    tracker = CSVTracker(tmp_path / "run/metrics.csv")
    tracker.log_metrics({"loss": 0.5}, 1)
    tracker.log_metrics({"loss": 0.25}, 2)
    tracker.log_metrics({"psnr": 30.0}, 2)
    tracker.log_metrics({"loss": 0.125}, 3)
    lines = (tmp_path / "run/metrics.csv").read_text().splitlines()
    assert lines == ["step,loss,psnr", "1,0.5,", "2,0.25,30.0", "3,0.125,"]


def test_every_row_is_on_disk_at_once(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    tracker = CSVTracker(path)
    for step in range(1, 5):
        tracker.log_metrics({"loss": step / 8}, step)
        assert len(path.read_text().splitlines()) == step + 1


def test_a_resumed_run_drops_the_rows_it_will_write_again(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    whole = CSVTracker(path)
    for step in range(1, 7):
        whole.log_metrics({"loss": step / 8} | ({"psnr": 30.0} if step == 6 else {}), step)
    expected = path.read_text()
    resumed = CSVTracker(path, resume_step=4)
    for step in range(5, 7):
        resumed.log_metrics({"loss": step / 8} | ({"psnr": 30.0} if step == 6 else {}), step)
    assert path.read_text() == expected


def test_a_row_cut_short_by_a_crash_is_dropped(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n1,0.5\n2,0.25\n3,0.1")
    CSVTracker(path, resume_step=2).log_metrics({"loss": 0.125}, 3)
    assert path.read_text().splitlines() == ["step,loss", "1,0.5", "2,0.25", "3,0.125"]


def test_a_new_run_starts_a_new_file(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n1,0.5\n")
    CSVTracker(path).log_metrics({"loss": 0.25}, 1)
    assert path.read_text().splitlines() == ["step,loss", "1,0.25"]

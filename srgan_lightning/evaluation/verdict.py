"""What the metrics are worth, as a table for the terminal and for files."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import rich.console
import rich.table
import rich.text

from srgan_lightning.evaluation.judgement import plcc, srcc
from srgan_lightning.evaluation.save import markdown_table
from srgan_lightning.imaging.write import whole_file

STAMP = (
    "Y channel or, learned ones, RGB; whole pictures; 1 is full agreement with people (of a "
    "distance the negative counts); PLCC after a four-parameter logistic fit"
)
TITLES = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "lpips": "LPIPS", "dists": "DISTS"}


@dataclass(frozen=True)
class Worth:
    """How well a metric agrees with human scores; see `judgement.srcc` and `judgement.plcc`."""

    metric: str
    srcc: float
    plcc: float
    pictures: int


@dataclass(frozen=True)
class Verdict:
    """The worth of several metrics, and what a reader must know."""

    worths: Sequence[Worth]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[list[str]]:
        """Return the table's cells, headings first."""
        body = [
            [TITLES[w.metric], f"{w.srcc:.4f}", f"{w.plcc:.4f}", str(w.pictures)]
            for w in self.worths
        ]
        return [["metric", "SRCC", "PLCC", "pictures"], *body]


def judge(
    figures: Sequence[Mapping[str, float]], scores: Sequence[float], *, notes: Sequence[str] = ()
) -> Verdict:
    """Correlate each metric's figures with the scores.

    Args:
        figures: by metric, a mapping for each picture.
        scores: what people gave each picture, more being better.
        notes: for the reader.
    """
    worths = []
    for metric in figures[0]:
        values = [one[metric] for one in figures]
        worths.append(Worth(metric, srcc(values, scores), plcc(values, scores), len(scores)))
    return Verdict(worths, tuple(notes))


def render_verdict(verdict: Verdict, *, title: str) -> rich.console.Group:
    """Lay a verdict out for the terminal."""
    headings, *body = verdict.lines()
    shown = rich.table.Table(title=title, title_justify="left")
    for index, name in enumerate(headings):
        shown.add_column(name, justify="right" if index else "left")
    for line in body:
        shown.add_row(*line)
    notes = [rich.text.Text(line, style="dim") for line in (STAMP, *verdict.notes)]
    return rich.console.Group(shown, *notes)


def save_verdict(verdict: Verdict, folder: Path, *, name: str = "metrics") -> list[Path]:
    """Write `name`.csv, .json and .md into a folder, and return the three paths."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["metric", "srcc", "plcc", "pictures", "protocol"])
    writer.writerows([w.metric, w.srcc, w.plcc, w.pictures, STAMP] for w in verdict.worths)
    document = {
        "protocol": STAMP,
        "notes": verdict.notes,
        "metrics": [asdict(worth) for worth in verdict.worths],
    }
    notes = "\n\n".join((STAMP, *verdict.notes))
    texts = {
        ".csv": table.getvalue(),
        ".json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        ".md": f"{markdown_table(verdict.lines(), left=1)}\n\n{notes}\n",
    }
    paths = []
    for suffix, text in texts.items():
        path = folder / f"{name}{suffix}"
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths

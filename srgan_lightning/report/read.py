"""Folders of runs, evaluations and sweeps, read for the report."""

import csv
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError

from srgan_lightning.errors import UserError
from srgan_lightning.imaging.read import SUFFIXES
from srgan_lightning.report.records import Evaluation, Folder, Method, Run
from srgan_lightning.sweeps.overview import is_sweep, look

METRICS, FIGURES = "metrics.csv", "figures.json"
BEST = 8  # jobs of a sweep whose curves and pictures are shown


class _Protocol(BaseModel):
    stamp: str


class _Method(BaseModel):
    mean: dict[str, float | None]
    deviation: dict[str, float | None] = {}
    pictures: dict[str, dict[str, float | None]] = Field(min_length=1)


class _Figures(BaseModel):
    protocol: _Protocol
    notes: list[str] = []
    methods: dict[str, _Method] = Field(min_length=1)


class _Generator(BaseModel):
    name: str


class _Stage(BaseModel):
    steps: int


class _Schedule(BaseModel):
    stages: dict[str, _Stage] = {}


class _Config(BaseModel):
    generator: _Generator | None = None
    schedule: _Schedule = _Schedule()


class _ConfigFile(BaseModel):
    config: _Config = _Config()


def read_folders(paths: Sequence[Path]) -> list[Folder]:
    """Read the folders of runs, evaluations and sweeps.

    Raises:
        UserError: for a path that is none of them, is named twice, or holds a broken file.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        twice = next(p for i, p in enumerate(paths) if p.resolve() in _resolved(paths[:i]))
        raise UserError(f"{twice}: is named twice; name each folder once")
    labels = _labels(paths)
    return [
        _read_sweep(path, label, alone=len(paths) == 1)
        if is_sweep(path)
        else _read_folder(path, label)
        for path, label in zip(paths, labels, strict=True)
    ]


def _read_sweep(path: Path, label: str, *, alone: bool) -> Folder:
    overview = look(path)
    begun = [
        job
        for job in overview.ranked
        if any((job.folder / name).is_file() for name in (METRICS, FIGURES))
    ]
    jobs = [
        _read_folder(job.folder, job.job.label if alone else f"{label}: {job.job.label}")
        for job in begun[:BEST]
    ]
    return Folder(path=path, label=label, sweep=overview, jobs=jobs)


def _resolved(paths: Sequence[Path]) -> set[Path]:
    return {path.resolve() for path in paths}


def _labels(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths, of equally many parts, that tell them apart."""
    parts = [path.resolve().parts for path in paths]
    longest = max((len(p) for p in parts), default=1)
    labels = [""] * len(parts)
    for count in range(1, longest + 1):
        labels = ["/".join(p[-count:]) for p in parts]
        if len(set(labels)) == len(labels):
            break
    return labels


def _read_folder(path: Path, label: str) -> Folder:
    if not path.is_dir():
        raise UserError(f"{path}: is no folder; name the folders of runs and evaluations")
    metrics, figures = path / METRICS, path / FIGURES
    if not metrics.is_file() and not figures.is_file():
        raise UserError(
            f"{path}: holds neither metrics.csv (of `srgan train`) nor figures.json (of `srgan "
            "evaluate`) nor sweep.json (of `srgan train -m`); name the folder that one of them "
            "printed"
        )
    return Folder(
        path=path,
        label=label,
        run=_read_run(metrics, label) if metrics.is_file() else None,
        evaluation=_read_evaluation(figures, label) if figures.is_file() else None,
    )


def _read_run(metrics: Path, label: str) -> Run:
    curves = _read_curves(metrics)
    config = _read_config(metrics.with_name("config.yaml"))
    lengths = [stage.steps for stage in config.schedule.stages.values()]
    starts = accumulate(lengths, initial=0)
    last = max((curve[-1][0] for curve in curves.values()), default=0)
    stages = [
        (name, start)
        for (name, stage), start in zip(config.schedule.stages.items(), starts, strict=False)
        if stage.steps and start < last
    ]
    generator = config.generator.name if config.generator else None
    return Run(label=label, curves=curves, stages=stages, generator=generator)


def _read_config(path: Path) -> _Config:
    if not path.is_file():
        return _Config()
    try:
        return _ConfigFile.model_validate(yaml.safe_load(_text(path)) or {}).config
    except (yaml.YAMLError, ValidationError) as error:
        raise UserError(f"{path}: is no config of a run: {_first_line(error)}") from None


def _read_curves(path: Path) -> dict[str, list[tuple[int, float]]]:
    reader = csv.DictReader(_text(path).splitlines())
    columns = list(reader.fieldnames or [])
    if "step" not in columns:
        raise UserError(f"{path}: has no column named step; it is no metrics.csv of a run")
    curves: dict[str, list[tuple[int, float]]] = {name: [] for name in columns if name != "step"}
    try:
        for row in reader:
            _add_row(curves, row)
    except (ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{path}, line {reader.line_num}: is broken: {error}") from None
    return {name: curve for name, curve in curves.items() if curve}


def _add_row(curves: Mapping[str, list[tuple[int, float]]], row: Mapping[str, Any]) -> None:
    if None in row or None in row.values():
        raise ValueError("it has more or fewer values than there are columns")
    step = int(row["step"])
    for name, curve in curves.items():
        if row[name] and math.isfinite(value := float(row[name])):
            curve.append((step, value))


def _read_evaluation(path: Path, label: str) -> Evaluation:
    try:
        document = _Figures.model_validate_json(_text(path))
    except ValidationError as error:
        raise UserError(f"{path}: is no table of figures: {_first_line(error)}") from None
    folder = path.with_name("pictures")
    methods = []
    for name, method in document.methods.items():
        pictures = {_stem(picture): _known(of) for picture, of in method.pictures.items()}
        methods.append(
            Method(
                name=name,
                means=_known(method.mean),
                deviations=_known(method.deviation),
                pictures=pictures,
                files=_files(folder, name, pictures),
                origin=label,
            )
        )
    names = dict.fromkeys(picture for method in methods for picture in method.pictures)
    return Evaluation(
        stamp=document.protocol.stamp,
        methods=methods,
        hr=_files(folder, "HR", names),
        lr=_files(folder, "LR", names),
        notes=document.notes,
    )


def _files(pictures: Path, method: str, names: Mapping[str, Any]) -> dict[str, Path]:
    """Return the saved picture of each name; none at all where no pictures were saved."""
    if not (pictures / "HR").is_dir():
        return {}
    folder = pictures / method
    files = {name: folder / f"{name}.png" for name in names}
    for file in files.values():
        if not file.is_file():
            raise UserError(f"{file}: is missing; evaluate again with save_pictures=true")
    return files


def _stem(picture: str) -> str:
    """Drop a picture's suffix: runs keep it in their figures, evaluations do not."""
    path = PurePosixPath(picture)
    return str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else picture


def _known(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: is no text in UTF-8") from None


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else first["msg"]
    return " ".join(str(error).split())

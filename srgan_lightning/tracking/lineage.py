"""wandb artifacts of a run: data → run → checkpoint → ONNX, online and offline.

Versions are told apart by content, so an export may name its checkpoint by showing it again.
Files wait for their sync in the run folder: wandb itself would keep a copy of each in the user's
home, for as long as a run stays offline.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
import yaml

from srgan_lightning.errors import UserError

ID = "wandb_id"


def data_artifact(run: Any, about: Mapping[str, Any]) -> wandb.Artifact:
    """Make the artifact of what a run learns from: a list of the pictures, not the pictures.

    Args:
        run: wandb's, that it is for.
        about: plain containers.
    """
    text = json.dumps(about, indent=1, sort_keys=True)
    name = f"data-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    artifact = wandb.Artifact(name, type="dataset")
    path = _place(run, artifact, "data.json")
    path.write_text(text)
    _add(artifact, path)
    return artifact


def checkpoint_artifact(run: Any, run_folder: Path) -> wandb.Artifact:
    """Make the artifact of a run's `checkpoints`: what resumes it, and its generators."""
    identifier = (run_folder / ID).read_text().strip()
    artifact = wandb.Artifact(f"checkpoint-{identifier}", type="model")
    _keep(run, artifact, *sorted((run_folder / "checkpoints").glob("[!.]*")))
    return artifact


def _keep(run: Any, artifact: wandb.Artifact, *files: Path) -> None:
    """Add files as they are now: hard links take no space, and outlive a renamed replacement."""
    for file in files:
        path = _place(run, artifact, file.name)
        try:
            os.link(file, path)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file, path)
        _add(artifact, path)


def _place(run: Any, artifact: wandb.Artifact, name: str) -> Path:
    """Return where a file waits, beside what wandb itself keeps of the run."""
    folder = Path(run.dir).parent / "artifacts" / artifact.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)
    return path


def _add(artifact: wandb.Artifact, path: Path) -> None:
    artifact.add_file(str(path), name=path.name, policy="immutable", skip_cache=True)


def log_used(run: Any, artifact: wandb.Artifact) -> None:
    """Log an artifact as what a run was made of, offline too.

    `use_artifact` does the same for one that is not logged yet, and refuses to do so offline.
    """
    run._log_artifact(artifact, is_user_created=True, use_after_commit=True)


def log_export(checkpoint: Path, *files: Path) -> None:
    """Log exported files as made of a run's checkpoint, by a wandb run of their own.

    Args:
        checkpoint: in the folder `checkpoints` of a run that wandb has.
        files: what it was exported to.

    Raises:
        UserError: the checkpoint is not such a run's.
    """
    folder = checkpoint.absolute().parents[1]
    if not (folder / ID).is_file() or not (folder / "config.yaml").is_file():
        raise UserError(
            f"--wandb: {checkpoint} is not in the folder of a run that was logged to wandb"
        )
    options = yaml.safe_load((folder / "config.yaml").read_text())["config"]["logger"]
    identifier = (folder / ID).read_text().strip()
    run = wandb.init(
        project=options["project"],
        mode="online" if options["wandb"] == "online" else "offline",
        job_type="export",
        name=f"export of {identifier}",
        dir=folder,
        reinit="create_new",
        settings=wandb.Settings(silent=True, console="off"),
    )
    with run:
        log_used(run, checkpoint_artifact(run, folder))
        made = wandb.Artifact(f"export-{identifier}-{files[0].stem}", type="export")
        _keep(run, made, *files)
        run.log_artifact(made)

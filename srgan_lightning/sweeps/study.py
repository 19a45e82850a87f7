"""The study that an Optuna sweep keeps in its folder: open to the sweeper and to every job."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srgan_lightning.errors import UserError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import Trial

JOURNAL = "optuna.journal"
PRUNERS = ("median", "hyperband", "none")


class Pruned(Exception):  # noqa: N818 - no error
    """A trial that is not worth going on with."""


def import_optuna() -> Any:
    """Import Optuna, whose remarks on each trial stay away.

    Raises:
        UserError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UserError(
            "hydra/sweeper=optuna: needs Optuna; pip install 'srgan-lightning[optuna]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_study(
    folder: Path, *, sampler: Any = None, direction: str = "maximize", pruner: str = ""
) -> "Study":
    """Open the study in a sweep's folder, or begin it.

    It is a journal: one file that processes of many machines append to, on NFS too, and that
    survives all of them.

    Args:
        folder: the sweep's.
        sampler: what chooses the next trials; a job needs none.
        direction: `maximize` or `minimize`, of a new study.
        pruner: one of `PRUNERS`, of a new study.
    """
    optuna = import_optuna()
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = str(folder / JOURNAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    study: Study = optuna.create_study(
        storage=storage,
        study_name="sweep",
        sampler=sampler,
        direction=direction,
        load_if_exists=True,
    )
    if pruner:
        study.set_user_attr("pruner", pruner)
    study.pruner = _pruner(optuna, study.user_attrs.get("pruner", "none"))
    return study


def _pruner(optuna: Any, name: str) -> Any:
    if name == "none":
        return optuna.pruners.NopPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=4)


class TrialOfJob:
    """The trial that a job of a sweep is; a job of a grid is none.

    Args:
        folder: the run folder, within the sweep's.
    """

    def __init__(self, folder: Path) -> None:
        self._trial = None
        if (folder.parent / JOURNAL).is_file():
            study = open_study(folder.parent)
            self._trial = trial_of(study, folder.name)

    def report(self, value: float, *, step: int) -> str:
        """Report an intermediate value; return why the trial shall end, empty if it shall not."""
        if self._trial is None:
            return ""
        self._trial.report(value, step)
        if not self._trial.should_prune():
            return ""
        return f"pruned at step {step}: {value:.4g} is worse than the others were then"


def trial_of(study: "Study", job: str) -> "Trial | None":
    """Return the open trial of a job; one that is told already is closed."""
    optuna = import_optuna()
    for frozen in reversed(study.get_trials(deepcopy=False)):
        if frozen.user_attrs.get("job") == job and not frozen.state.is_finished():
            return optuna.trial.Trial(study, frozen._trial_id)  # type: ignore[no-any-return]
    return None

"""Optuna's search, in the place of a grid: TPE, pruning, and a study that survives."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from srgan_lightning.errors import UserError, nearest
from srgan_lightning.sweeps.jobs import Jobs
from srgan_lightning.sweeps.study import PRUNERS, import_optuna, open_study
from srgan_lightning.tracking.state import is_alive


class OptunaSweeper(Sweeper):
    """Chooses each trial by what the finished ones have shown (TPE, Bergstra et al. 2011).

    The study is a file in the sweep's folder. A sweep that was broken off goes on with it.

    Args:
        trials: how many jobs in all.
        batch: jobs at once; the next batch begins when all of them have ended.
        seed: of the choices.
        startup_trials: trials chosen at random before TPE begins.
        pruner: `median` ends a trial that is worse than the median of the others at the same
            step, `hyperband` shares steps out by brackets, `none` lets all of them run.
        params: key → values in Hydra's grammar: `choice(a,b)`, `range(1,5)`, `interval(0,1)`,
            `tag(log,interval(1e-4,1e-1))`. Sweeps on the command line are added.
    """

    def __init__(
        self,
        *,
        trials: int,
        batch: int,
        seed: int,
        startup_trials: int,
        pruner: str,
        params: Mapping[str, Any] | None,
    ) -> None:
        self.trials = trials
        self.batch = batch
        self.seed = seed
        self.startup_trials = startup_trials
        self.pruner = pruner
        self.params = dict(params or {})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Make the launcher and keep books on it."""
        self.hydra_context = hydra_context
        self.config = config
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self.jobs = Jobs(launcher, config)
        self.monitor = config.callbacks.checkpoint.monitor
        self.maximize = config.callbacks.checkpoint.mode == "max"

    def sweep(self, arguments: list[str]) -> None:
        """Search.

        Raises:
            UserError: for a search space or an option that makes no sense, and while jobs of
                this sweep are still at work.
            SystemExit: a job failed.
        """
        assert self.config is not None
        self._check()
        space, fixed = self._read(arguments)
        folder = Path(self.config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, folder / "multirun.yaml")
        study = self._open(folder)
        due = self._take_up(study)
        number = len(_latest(study))
        while due or number < self.trials:
            while len(due) < self.batch and number < self.trials:
                due[number] = study.ask(space)
                due[number].set_user_attr("job", str(number))
                number += 1
            now = {n: due.pop(n) for n in sorted(due)[: self.batch]}
            overrides = {
                n: [*fixed, *(f"{key}={_word(v)}" for key, v in trial.params.items())]
                for n, trial in now.items()
            }
            self.validate_batch_is_legal(list(overrides.values()))
            self.jobs.run(overrides)
            for n, trial in now.items():
                self._settle(study, trial, n)
        self._tell_best(study)
        self.jobs.tell_failures()

    def _check(self) -> None:
        for name in ("trials", "batch"):
            if getattr(self, name) < 1:
                raise UserError(f"hydra.sweeper.{name}={getattr(self, name)}: at least 1")
        if self.pruner not in PRUNERS:
            raise UserError(f"hydra.sweeper.pruner={self.pruner}: {nearest(self.pruner, PRUNERS)}")

    def _open(self, folder: Path) -> Any:
        optuna = import_optuna()
        study = open_study(
            folder,
            direction="maximize" if self.maximize else "minimize",
            pruner=self.pruner,
        )
        # A search that goes on must not draw again what it drew at first.
        seed = self.seed + len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.startup_trials, seed=seed, constant_liar=True
        )
        return study

    def _take_up(self, study: Any) -> dict[int, Any]:
        """Settle what came to an end meanwhile; return the trials that have to run (again)."""
        due = {}
        for number, frozen in _latest(study).items():
            state = self.jobs.state(number)
            if state is not None and is_alive(state):
                raise UserError(f"{self.jobs.folder}: job {number} is still at work; wait for it")
            if frozen.state.name in ("COMPLETE", "PRUNED"):
                continue
            if frozen.state.name == "FAIL":  # what is told is told: the job gets another trial
                study.enqueue_trial(frozen.params, user_attrs={"job": str(number)})
                due[number] = study.ask(frozen.distributions)
                continue
            trial = import_optuna().trial.Trial(study, frozen._trial_id)
            if state is None or not (state.state in ("finished", "pruned") or state.diverged):
                due[number] = trial
            else:
                self._settle(study, trial, number)
        return due

    def _settle(self, study: Any, trial: Any, number: int) -> None:
        """Tell the study what became of a job; divergence is worse than any value."""
        states = import_optuna().trial.TrialState
        state = self.jobs.state(number)
        if state is not None and (state.state == "finished" or state.diverged):
            value = state.figures.get(self.monitor, math.nan)
            worst = -math.inf if self.maximize else math.inf
            study.tell(trial, worst if math.isnan(value) else value)
        elif state is not None and state.state == "pruned":
            study.tell(trial, state=states.PRUNED)
        else:
            study.tell(trial, state=states.FAIL)

    def _tell_best(self, study: Any) -> None:
        done = [t for t in study.get_trials() if t.value is not None and math.isfinite(t.value)]
        if done:
            best = study.best_trial
            job = next(j for j in self.jobs.sweep.jobs if j.folder == best.user_attrs["job"])
            print(f"best: job {job.number} ({job.label}), {self.monitor} {best.value:.4g}")  # noqa: T201

    def _read(self, arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Return the search space and the overrides that all jobs share."""
        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        searched = [f"{key}={value}" for key, value in self.params.items()]
        space: dict[str, Any] = {}
        fixed: dict[str, str] = {}
        for override in parser.parse_overrides([*searched, *arguments]):
            key = override.get_key_element()
            if override.is_sweep_override():
                space[key] = _distribution(key, override)
                fixed.pop(key, None)
            else:
                fixed[key] = f"{key}={override.get_value_element_as_str()}"
                space.pop(key, None)
        if not space:
            raise UserError(
                "hydra/sweeper=optuna: nothing to search; take search=gan, or give a key values, "
                "as in 'loss.adversarial.weight=tag(log,interval(1e-4,1e-2))'"
            )
        return space, list(fixed.values())


def _distribution(key: str, override: Override) -> Any:
    """Turn a sweep in Hydra's grammar into Optuna's distribution."""
    optuna = import_optuna()
    value = override.value()
    try:
        if isinstance(value, IntervalSweep):
            ends = {"low": value.start, "high": value.end, "log": "log" in value.tags}
            whole = isinstance(value.start, int) and isinstance(value.end, int)
            kind = optuna.distributions
            return (kind.IntDistribution if whole else kind.FloatDistribution)(**ends)
        if isinstance(value, RangeSweep):
            steps = [float(step) for step in value.range()]
            whole = all(isinstance(n, int) for n in (value.start, value.stop, value.step))
            choices = [str(int(step) if whole else step) for step in steps]
        else:
            choices = list(override.sweep_string_iterator())
        return optuna.distributions.CategoricalDistribution(choices)
    except (TypeError, ValueError) as error:
        raise UserError(f"{key}: cannot be searched: {' '.join(str(error).split())}") from None


def _latest(study: Any) -> dict[int, Any]:
    """Return the latest trial of each job."""
    trials = study.get_trials(deepcopy=False)
    return {int(t.user_attrs["job"]): t for t in trials if "job" in t.user_attrs}


def _word(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)

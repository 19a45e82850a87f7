"""When what is trained: stages, their lengths in generator steps, learning rates and ramps."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt


class StageConfig(BaseModel):
    """One stage of a training run.

    Attributes:
        kind: `pixel` trains the generator alone on the pixel loss; `adversarial` alternates the
            discriminator's and the generator's steps on the weighted sum of all losses.
        steps: length in generator steps.
        lr: the generator's learning rate at the stage's start.
        lr_discriminator: the discriminator's; the generator's where it is not given.
        decay: `constant`; `cosine`, down to zero at the stage's end; `multistep`, multiplied by
            `gamma` at each of `milestones`.
        milestones: generator steps within the stage.
        gamma: the factor of `multistep`.
        warmup: generator steps over which the learning rate grows linearly from zero.
        ramp: generator steps over which the adversarial loss's weight grows linearly from zero.
        d_steps: discriminator updates before each generator update.
        g_steps: generator updates for each turn of the discriminator.
        from_nothing: whether it is for a generator that starts from nothing alone: `init_from`
            leaves it out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["pixel", "adversarial"]
    steps: NonNegativeInt
    lr: PositiveFloat = 1e-4
    lr_discriminator: PositiveFloat | None = None
    decay: Literal["constant", "cosine", "multistep"] = "constant"
    milestones: tuple[PositiveInt, ...] = ()
    gamma: float = Field(default=0.5, gt=0, le=1)
    warmup: NonNegativeInt = 0
    ramp: NonNegativeInt = 0
    d_steps: PositiveInt = 1
    g_steps: PositiveInt = 1
    from_nothing: bool = False


class ScheduleConfig(BaseModel):
    """What a run trains, and for how long.

    Attributes:
        stages: by name, in the order in which they run.
        stage_steps: shortens every longer stage to so many generator steps, for a trial.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stages: dict[str, StageConfig] = Field(min_length=1)
    stage_steps: PositiveInt | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one generator step does, as a pure function of its number.

    Attributes:
        stage: the stage's name.
        config: the stage.
        fresh: whether a stage of another kind starts here, with other losses than before.
        lr: the generator's learning rate.
        lr_discriminator: the discriminator's learning rate.
        ramp: factor of the adversarial loss's weight, in [0, 1].
        d_updates: discriminator updates before this generator update.
    """

    stage: str
    config: StageConfig
    fresh: bool
    lr: float
    lr_discriminator: float
    ramp: float
    d_updates: int

    @property
    def adversarial(self) -> bool:
        """Whether the discriminator takes part."""
        return self.config.kind == "adversarial"


class Schedule:
    """The stages of a run, asked by generator step.

    Everything here depends on the generator-step counter alone, so a resumed run needs that one
    number and nothing else.

    Args:
        config: the stages.
        max_steps: ends the run earlier, if given.
    """

    def __init__(self, config: ScheduleConfig, *, max_steps: int | None = None) -> None:
        self.stages = {
            name: stage.model_copy(
                update={"steps": min(stage.steps, config.stage_steps or stage.steps)}
            )
            for name, stage in config.stages.items()
        }
        self.ends = dict(
            zip(self.stages, accumulate(s.steps for s in self.stages.values()), strict=True)
        )
        whole = max(self.ends.values())
        self.total = whole if max_steps is None else min(whole, max_steps)

    @property
    def adversarial(self) -> bool:
        """Whether any step of the run is adversarial."""
        return any(self.at(start).adversarial for start in self.starts() if start < self.total)

    def starts(self) -> list[int]:
        """Return the first generator step of every stage that has steps."""
        return [self.ends[name] - stage.steps for name, stage in self.stages.items() if stage.steps]

    def at(self, step: int) -> Turn:
        """Say what generator step number `step` (from 0) does.

        Example:
            >>> stages = {"pixel": {"kind": "pixel", "steps": 4, "lr": 1.0, "decay": "cosine"}}
            >>> schedule = Schedule(ScheduleConfig.model_validate({"stages": stages}))
            >>> [round(schedule.at(step).lr, 3) for step in range(4)]
            [1.0, 0.854, 0.5, 0.146]
        """
        name = next((name for name, end in self.ends.items() if step < end), list(self.stages)[-1])
        stage = self.stages[name]
        local = step - (self.ends[name] - stage.steps)
        factor = _decay(stage, local)
        turns = stage.kind == "adversarial" and local % stage.g_steps == 0
        return Turn(
            stage=name,
            config=stage,
            fresh=local == 0 and self._kind_before(name) not in (None, stage.kind),
            lr=stage.lr * factor,
            lr_discriminator=(stage.lr_discriminator or stage.lr) * factor,
            ramp=min(1.0, (local + 1) / stage.ramp) if stage.ramp else 1.0,
            d_updates=stage.d_steps if turns else 0,
        )

    def _kind_before(self, name: str) -> str | None:
        """Return the kind of the last stage with steps before `name`; None if there is none."""
        names = list(self.stages)
        earlier = [self.stages[n] for n in names[: names.index(name)] if self.stages[n].steps]
        return earlier[-1].kind if earlier else None

    def chunks(self, step: int) -> int:
        """Return how many batches generator step `step` consumes (one a discriminator update)."""
        return max(1, self.at(step).d_updates)


def _decay(stage: StageConfig, local: int) -> float:
    factor = min(1.0, (local + 1) / stage.warmup) if stage.warmup else 1.0
    if stage.decay == "cosine":
        return factor * 0.5 * (1 + math.cos(math.pi * min(1.0, local / max(1, stage.steps))))
    if stage.decay == "multistep":
        return factor * stage.gamma ** sum(local >= milestone for milestone in stage.milestones)
    return factor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srgan_lightning.config import check
from srgan_lightning.errors import UserError
from srgan_lightning.training.schedule import Schedule, ScheduleConfig


def schedule(max_steps: int | None = None, **stages: dict) -> Schedule:
    return Schedule(check(ScheduleConfig, {"stages": stages}), max_steps=max_steps)


PIXEL = {"kind": "pixel", "steps": 10, "lr": 1e-3}
GAN = {"kind": "adversarial", "steps": 6, "lr": 1e-4}


def test_stages_follow_each_other():
    plan = schedule(pixel=PIXEL, adversarial=GAN)
    assert plan.total == 16
    assert [plan.at(step).stage for step in (0, 9, 10, 15)] == ["pixel"] * 2 + ["adversarial"] * 2
    assert [plan.at(step).adversarial for step in (9, 10)] == [False, True]


def test_only_another_kind_of_stage_starts_afresh():
    plan = schedule(pixel=PIXEL, adversarial=GAN, fine={**GAN, "lr": 1e-5})
    assert [step for step in range(plan.total) if plan.at(step).fresh] == [10]
    assert plan.at(16).lr == 1e-5


def test_a_stage_without_steps_does_not_happen():
    plan = schedule(pixel={**PIXEL, "steps": 0}, adversarial=GAN)
    assert plan.at(0).stage == "adversarial"
    assert not plan.at(0).fresh


def test_max_steps_ends_earlier_and_leaves_an_unreached_discriminator_out():
    plan = schedule(max_steps=8, pixel=PIXEL, adversarial=GAN)
    assert plan.total == 8
    assert not plan.adversarial
    assert schedule(max_steps=11, pixel=PIXEL, adversarial=GAN).adversarial


def test_every_stage_can_be_shortened_for_a_trial():
    stages = {"pixel": {**PIXEL, "steps": 2}, "adversarial": GAN, "off": {**GAN, "steps": 0}}
    plan = Schedule(check(ScheduleConfig, {"stages": stages, "stage_steps": 3}))
    names = [plan.at(step).stage for step in range(plan.total)]
    assert names == ["pixel"] * 2 + ["adversarial"] * 3


def test_learning_rates_warm_up_and_decay():
    plan = schedule(a={**PIXEL, "warmup": 4}, b={**PIXEL, "decay": "multistep", "milestones": [5]})
    assert [plan.at(step).lr for step in range(5)] == pytest.approx(
        [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3]
    )
    assert [plan.at(10 + step).lr for step in (4, 5, 9)] == pytest.approx([1e-3, 5e-4, 5e-4])


def test_the_adversarial_weight_ramps_up():
    plan = schedule(adversarial={**GAN, "ramp": 4})
    assert [plan.at(step).ramp for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@given(d=st.integers(1, 4), g=st.integers(1, 4), steps=st.integers(1, 30))
def test_d_updates_come_d_steps_to_g_steps(d: int, g: int, steps: int):
    plan = schedule(adversarial={**GAN, "steps": steps * g, "d_steps": d, "g_steps": g})
    updates = [plan.at(step).d_updates for step in range(plan.total)]
    assert sum(updates) == d * steps
    assert all(plan.chunks(step) == max(1, n) for step, n in enumerate(updates))


def test_a_misspelt_stage_option_names_the_nearest():
    with pytest.raises(UserError, match=r"stages\.pixel\.stepz: no such option; did you mean step"):
        schedule(pixel={**PIXEL, "stepz": 3})

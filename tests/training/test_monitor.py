import torch

from srgan_lightning.losses import ADVERSARIAL_LOSSES
from srgan_lightning.training.monitor import StabilityMonitor


def play(monitor: StabilityMonitor, hr: float, sr: float) -> str | None:
    monitor.update(torch.full((4, 1), hr), torch.full((4, 1), -sr))
    return monitor.judge(monitor.read())


def test_accuracies_are_means_since_the_last_reading():
    monitor = StabilityMonitor()
    monitor.update(torch.tensor([1.0, -1.0]), torch.tensor([1.0, 1.0]))
    monitor.update(torch.tensor([1.0, 1.0]), torch.tensor([-1.0, 1.0]))
    assert monitor.read() == {"d_accuracy/hr": 0.75, "d_accuracy/sr": 0.75}
    assert monitor.read() == {}


def test_it_speaks_when_d_has_won_for_long_and_then_waits_again():
    monitor = StabilityMonitor(patience=3)
    verdicts = [play(monitor, 5.0, -5.0) for _ in range(6)]
    assert [bool(v) for v in verdicts] == [False, False, True, False, False, True]
    assert verdicts[2].startswith("the discriminator wins")


def test_it_speaks_when_d_gives_one_answer_for_everything():
    monitor = StabilityMonitor(patience=2)
    assert play(monitor, 5.0, 5.0) is None
    assert play(monitor, 5.0, 5.0).startswith("the discriminator has collapsed")


def test_a_fair_game_is_not_worth_a_word():
    monitor = StabilityMonitor(patience=1)
    monitor.update(torch.tensor([1.0, -1.0]), torch.tensor([-1.0, 1.0]))
    assert monitor.judge(monitor.read()) is None
    assert monitor.judge({}) is None


def test_a_critic_may_be_right_always_but_not_give_one_answer_for_everything():
    monitor = StabilityMonitor(critic=True, patience=2)
    assert [play(monitor, 5.0, -5.0) for _ in range(4)] == [None] * 4
    assert play(monitor, 0.0, 0.0) is None
    assert play(monitor, 0.0, 0.0).startswith("the discriminator has collapsed")


def test_answers_are_right_by_each_games_own_measure():
    logits_hr, logits_sr = torch.tensor([5.2, 5.0]), torch.tensor([5.15, 0.3])
    shares = {}
    for name in ("bce", "hinge", "lsgan", "wgan_gp", "relativistic"):
        monitor = StabilityMonitor()
        monitor.update(*ADVERSARIAL_LOSSES.build(name, {}).margins(logits_hr, logits_sr))
        shares[name] = tuple(monitor.read().values())
    assert shares["bce"] == shares["hinge"] == (1, 0)
    assert shares["lsgan"] == (1, 0.5)  # D decides at 1/2
    assert shares["wgan_gp"] == shares["relativistic"] == (1, 0.5)  # of means 5.1 and 2.7

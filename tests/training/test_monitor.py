import torch

from srgan_lightning.training.monitor import StabilityMonitor


def play(monitor: StabilityMonitor, hr: float, sr: float) -> str | None:
    monitor.update(torch.full((4, 1), hr), torch.full((4, 1), sr))
    return monitor.judge(monitor.read())


def test_accuracies_are_means_since_the_last_reading():
    monitor = StabilityMonitor()
    monitor.update(torch.tensor([1.0, -1.0]), torch.tensor([-1.0, -1.0]))
    monitor.update(torch.tensor([1.0, 1.0]), torch.tensor([1.0, -1.0]))
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
    monitor.update(torch.tensor([1.0, -1.0]), torch.tensor([1.0, -1.0]))
    assert monitor.judge(monitor.read()) is None
    assert monitor.judge({}) is None
